package resolver

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"mintage/internal/resolver/passport"
	"mintage/internal/resolver/scans"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// Ciphers open the brands' keys; mint.Keyring does.
type Ciphers interface {
	// Cipher returns the cipher of a brand's product; UNAVAILABLE where the master key
	// does not open the brand's key.
	Cipher(ctx context.Context, r store.BrandReader, brand int64, productCode string) (*serial.Cipher, error)
}

// Options of a resolver. Store and Keys are needed.
type Options struct {
	Store store.Store
	Keys  Ciphers
	Now   func() time.Time // the clock of times shown to people; time.Now otherwise
	Log   *slog.Logger     // may be nil
	// Writers is how many transactions may activate units at once; 2 otherwise.
	Writers int
	// Memory bounds what is remembered, in bytes; 64 MiB otherwise.
	Memory int64
	// Misses is how many lookups a second that find nothing each client address (of
	// IPv6: each /64) has, for hosts, for products and for units; 50 otherwise.
	Misses float64
}

const (
	defaultWriters = 2
	defaultMemory  = 64 << 20
	defaultMisses  = 50

	// pollEvery and staleAfter keep the promise that a revocation is known everywhere
	// within a second: three polls may be late or lost.
	pollEvery  = 250 * time.Millisecond
	staleAfter = time.Second
)

// Resolver answers the public. It is an [http.Handler] and remembers nothing, nor
// activates anything, before Run.
type Resolver struct {
	store   store.Store
	keys    Ciphers
	now     func() time.Time
	log     *slog.Logger
	writers int

	pages   *passport.Renderer
	scans   *scans.Buffer
	origins *http.CrossOriginProtection
	misses  misses
	turns   *turns
	cache   *cache
	told    *tellings
	asking  asking
	nobody  *brand // of addresses that belong to none

	languages     sync.Map // language of ours, by Accept-Language header
	languagesKept atomic.Int64

	queue   chan *activation
	loads   chan chunkLoad
	stopped chan struct{} // closed when no activation is taken any more
	drained chan struct{} // closed when those that were taken are done

	epoch  time.Time    // that lastPoll counts from
	polled atomic.Int64 // nanoseconds after epoch that the last good poll began at; 0 before the first
}

// New returns a resolver.
func New(o Options) *Resolver {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Writers == 0 {
		o.Writers = defaultWriters
	}
	if o.Memory == 0 {
		o.Memory = defaultMemory
	}
	if o.Misses == 0 {
		o.Misses = defaultMisses
	}
	r := &Resolver{
		store: o.Store, keys: o.Keys, now: o.Now, log: o.Log, writers: o.Writers,
		pages: passport.New(), scans: scans.New(o.Store, o.Log), origins: http.NewCrossOriginProtection(),
		misses: newMisses(o.Misses), turns: newTurns(), cache: newCache(o.Memory), told: newTellings(),
		asking: asking{done: make(map[any]chan struct{})},
		queue:  make(chan *activation, maxQueue), loads: make(chan chunkLoad, maxLoads), stopped: make(chan struct{}), drained: make(chan struct{}),
		epoch: time.Now().Add(-time.Nanosecond), // so that no poll begins at 0
	}
	r.nobody = &brand{faults: make(map[faultKey][]byte)}
	r.nobody.css, r.nobody.cssName = r.pages.Stylesheet(nil)
	return r
}

// Run does what goes on beside requests (polls, activations, writing scans) until ctx
// ends, and completes what was handed to it. It is called once. The caller lets
// the server finish its requests before it ends ctx; those that come later are told
// to try again.
func (r *Resolver) Run(ctx context.Context) {
	noting, stopNoting := context.WithCancel(context.WithoutCancel(ctx))
	var notes, work sync.WaitGroup
	notes.Go(func() { r.scans.Run(noting) })
	work.Go(func() { r.poll(ctx) })
	for range chunkLoaders {
		work.Go(func() { r.loadChunks(ctx) })
	}
	for range r.writers {
		work.Go(func() { r.write(ctx) })
	}
	<-ctx.Done()
	close(r.stopped)
	work.Wait()
	close(r.drained)
	stopNoting()
	notes.Wait()
}

// DroppedScans is how many scans could not be noted.
func (r *Resolver) DroppedScans() int64 { return r.scans.Dropped() }

// HeldScans is how many scans are noted and not stored yet.
func (r *Resolver) HeldScans() int { return r.scans.Held() }

// fresh reports whether what is remembered may be believed.
func (r *Resolver) fresh() bool {
	at := r.polled.Load()
	return at != 0 && time.Since(r.epoch)-time.Duration(at) < staleAfter
}
