package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mintage"
	"mintage/internal/catalogue"
	"mintage/internal/edge"
	"mintage/internal/gs1"
	"mintage/internal/resolver"
	"mintage/internal/serial"
	"mintage/internal/store"
)

// What is scanned.
const (
	benchHost  = "id.bench.example"
	benchLot   = "BENCH-1"
	sampleSize = 1 << 16 // of a product's units, spread over all of them
	revocation = 1000    // one unit in so many is revoked
	// A phone's request, after its target.
	phone = " HTTP/1.1\r\nHost: " + benchHost + "\r\nUser-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-GB,en;q=0.9\r\nAccept-Encoding: gzip, deflate, br\r\n\r\n"
)

// stage is a resolver and a bare handler, both served the same way, and what they are
// asked for.
type stage struct {
	ResolveOptions
	w *workshop

	servers   []*http.Server
	serving   sync.WaitGroup
	addresses map[bool]string // of the bare handler: true
	stop      func()          // of the resolver
	resolver  *resolver.Resolver
	logs      *os.File

	known, fresh    scenery
	single          *mintage.Product // whose units the database alone activates
	lotPage, page   string           // targets
	freshNext       atomic.Int64     // which of fresh's codes is scanned next
	revokedOrdinals map[int64]bool   // of known
}

// scenery is a product with units.
type scenery struct {
	product *mintage.Product
	cipher  *serial.Cipher
	minted  int64
	prefix  string        // of the target, before the code
	codes   []serial.Code // to be scanned
	revoked []serial.Code
}

// bare answers as a redirecting handler does at the least.
func bare() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://brand.example/products/1")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
}

func newStage(ctx context.Context, w *workshop, o ResolveOptions) (_ *stage, err error) {
	s := &stage{ResolveOptions: o, w: w, addresses: make(map[bool]string), revokedOrdinals: make(map[int64]bool), stop: func() {}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	// What the log gets goes into nothing, but through the system.
	if s.logs, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0); err != nil {
		return nil, err
	}
	log := slog.New(slog.NewJSONHandler(s.logs, nil))
	s.startResolver(ctx, log)
	for isBare, handler := range map[bool]http.Handler{true: bare(), false: edge.New(edge.Options{Public: true, PerAddress: 1e9, Log: log})(s.resolver)} {
		if s.addresses[isBare], err = s.serve(ctx, handler, log); err != nil {
			return nil, err
		}
	}
	for i, gtin := range []string{"09520123456788", "09520123456795"} {
		scene := []*scenery{&s.known, &s.fresh}[i]
		if scene.product, err = w.catalogue.CreateProduct(ctx, w.brand, catalogue.ProductInput{Name: "Scanned", GTIN: gtin}); err != nil {
			return nil, err
		}
		err = w.db.store().Read(ctx, func(r store.Reader) (err error) {
			scene.cipher, err = w.keys.Cipher(ctx, r, w.brand.BrandNumber, scene.product.Code)
			return err
		})
		if err != nil {
			return nil, err
		}
		scene.prefix = gs1.Identity{GTIN: gs1.GTIN(gtin), Lot: benchLot, Serialised: true}.URL("")
	}
	if s.single, err = w.newProduct(ctx); err != nil {
		return nil, err
	}
	return s, s.mintFresh(ctx)
}

// startResolver starts what a process with the resolver's role runs.
func (s *stage) startResolver(ctx context.Context, log *slog.Logger) {
	o := resolver.Options{Store: s.w.db.store(), Keys: s.w.keys, Now: now, Log: log}
	if s.w.db.store().Engine() == "sqlite" {
		o.Writers = 1
	}
	s.resolver = resolver.New(o)
	running, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.resolver.Run(running)
	}()
	s.stop = func() {
		cancel()
		<-ended
	}
}

func (s *stage) serve(ctx context.Context, h http.Handler, log *slog.Logger) (address string, err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := edge.Server(h, log)
	s.servers = append(s.servers, server)
	s.serving.Go(func() { _ = server.Serve(listener) }) // until it is closed
	return listener.Addr().String(), nil
}

func (s *stage) close() error {
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Close())
	}
	s.serving.Wait()
	s.stop()
	if s.logs != nil {
		errs = append(errs, s.logs.Close())
	}
	return errors.Join(errs...)
}

func (s *stage) mintScene(ctx context.Context, scene *scenery, mode mintage.ActivationMode) error {
	if _, err := s.w.submit(ctx, &mintage.MintRequest{
		ProductID: scene.product.ID, RequestedQuantity: s.Units, IdentityMode: mintage.IdentitySerial, ActivationMode: mode,
		Lots: []mintage.LotRequest{{LotCode: benchLot, Quantity: s.Units}},
	}, 1); err != nil {
		return err
	}
	scene.minted += s.Units
	return s.w.db.settle(ctx)
}

// mintKnown mints one more job of active units, revokes some of them, and draws anew
// which ones are scanned.
func (s *stage) mintKnown(ctx context.Context) error {
	scene := &s.known
	first := scene.minted
	if err := s.mintScene(ctx, scene, mintage.ActiveAtMint); err != nil {
		return err
	}
	var list bytes.Buffer
	list.WriteString("resolver_url\n")
	for range s.Units / revocation {
		ordinal := first + rand.Int64N(s.Units) //nolint:gosec // a sample
		if s.revokedOrdinals[ordinal] {
			continue
		}
		s.revokedOrdinals[ordinal] = true
		code := scene.cipher.Encrypt(uint64(ordinal))
		scene.revoked = append(scene.revoked, code)
		fmt.Fprintf(&list, "https://%s%s%s\n", benchHost, scene.prefix, code)
	}
	if _, err := s.w.mintage.RevokeList(ctx, s.w.brand, &list, "Benchmark", func(row catalogue.Row) error {
		if !row.Accepted {
			return mintage.Errorf(mintage.CodeInternal, "A revocation of the benchmark was refused.").WithCause(errors.New(row.Message))
		}
		return nil
	}); err != nil {
		return err
	}
	scene.codes = scene.codes[:0]
	for len(scene.codes) < sampleSize {
		if ordinal := rand.Int64N(scene.minted); !s.revokedOrdinals[ordinal] { //nolint:gosec // a sample
			scene.codes = append(scene.codes, scene.cipher.Encrypt(uint64(ordinal)))
		}
	}
	return s.findPages(ctx)
}

// mintFresh mints the units that wait for their first scan, and shuffles them.
func (s *stage) mintFresh(ctx context.Context) error {
	if err := s.mintScene(ctx, &s.fresh, mintage.FirstScan); err != nil {
		return err
	}
	s.fresh.codes = make([]serial.Code, s.Units)
	s.fresh.cipher.Fill(s.fresh.codes, 0)
	rand.Shuffle(len(s.fresh.codes), func(i, j int) { //nolint:gosec // an order like people's
		s.fresh.codes[i], s.fresh.codes[j] = s.fresh.codes[j], s.fresh.codes[i]
	})
	return nil
}

// findPages follows what a unit's and a lot's URLs lead to.
func (s *stage) findPages(ctx context.Context) (err error) {
	lot := strings.TrimSuffix(s.known.prefix, "/21/")
	if s.lotPage, err = s.follow(ctx, lot); err != nil {
		return err
	}
	s.page, err = s.follow(ctx, s.known.prefix+s.known.codes[0].String())
	return err
}

// follow returns the path that a target is redirected to on the same host.
func (s *stage) follow(ctx context.Context, target string) (string, error) {
	g, err := dial(ctx, s.addresses[false], 1)
	if err != nil {
		return "", err
	}
	defer func() { _ = g.close() }() // nothing is under way
	c := g.connections[0]
	if _, err := c.Write([]byte("GET " + target + phone)); err != nil {
		return "", err
	}
	var head bytes.Buffer
	if _, err := c.answer(&head); err != nil {
		return "", err
	}
	for line := range strings.Lines(head.String()) {
		if to, ok := strings.CutPrefix(strings.TrimSpace(line), "Location: "); ok {
			to = strings.TrimPrefix(to, "https://"+benchHost)
			if strings.HasPrefix(to, "/") {
				return to, nil
			}
		}
	}
	return "", mintage.Errorf(mintage.CodeInternal, "A scan of the benchmark was not redirected to a page.").WithCause(errors.New(head.String()))
}

// measure runs the phase of one case.
func (s *stage) measure(ctx context.Context, name string) (figures, error) {
	g, err := dial(ctx, s.addresses[name == caseBare], s.Connections)
	if err != nil {
		return figures{}, err
	}
	defer func() { _ = g.close() }() // nothing is under way
	w := s.workload(name)
	if name != caseBare {
		// As many scans wait to be stored when the clock starts as when it stops: the
		// resolver owes nothing that it does not pay.
		if _, err := g.run(ctx, w, s.Duration/4); err != nil {
			return figures{}, fmt.Errorf("the case %s: %w", name, err)
		}
	}
	f, err := g.run(ctx, w, s.Duration)
	if err != nil {
		return f, fmt.Errorf("the case %s: %w", name, err)
	}
	return f, s.drain(ctx)
}

// drain waits until the scans of a phase are stored, so that the next one does not pay
// for them.
func (s *stage) drain(ctx context.Context) error {
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for s.resolver.HeldScans() > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return nil
}

// alone measures the database alone. Each round has ordinals of its own.
func (s *stage) alone(ctx context.Context, round int) (float64, string, error) {
	const slice = mintage.MaxProductUnits / maxRounds
	return s.w.db.activations(ctx, activations{
		brand: s.w.brand.BrandNumber, product: s.single.Number, batch: 1,
		first: int64(round) * slice, slice: slice / int64(s.Connections), connections: s.Connections, duration: s.Duration,
	})
}

// activations say how the database alone activates units: each connection those of
// a slice, from one ordinal on, one in a transaction with its event.
type activations struct {
	brand, product, batch int64
	first, slice          int64
	connections           int
	duration              time.Duration
}

func (s *stage) workload(name string) workload {
	switch name {
	case caseBare, caseKnown:
		return workload{http.StatusTemporaryRedirect, cycle(s.known.prefix, s.known.codes, phone)}
	case caseInvented:
		prefix := "GET " + s.known.prefix
		return workload{http.StatusNotFound, func(b []byte) []byte {
			b = append(b, prefix...)
			b = serial.Code(rand.Uint64N(1 << 60)).AppendTo(b) //nolint:gosec // what nobody has issued, but for one in a million million
			return append(b, phone...)
		}}
	case caseFirstScan:
		prefix := "GET " + s.fresh.prefix
		return workload{http.StatusTemporaryRedirect, func(b []byte) []byte {
			i := s.freshNext.Add(1) - 1
			if i >= int64(len(s.fresh.codes)) {
				return b
			}
			b = s.fresh.codes[i].AppendTo(append(b, prefix...))
			return append(b, phone...)
		}}
	case caseAgain:
		return workload{http.StatusTemporaryRedirect, cycle(s.fresh.prefix, s.fresh.codes[:min(s.freshNext.Load(), int64(len(s.fresh.codes)))], phone)}
	case caseRevoked:
		return workload{http.StatusGone, cycle(s.known.prefix, s.known.revoked, phone)}
	case caseLot:
		return workload{http.StatusOK, same("GET " + s.lotPage + phone)}
	case casePage:
		return workload{http.StatusOK, same("GET " + s.page + phone)}
	default:
		return workload{http.StatusOK, cycle(s.known.prefix, s.known.codes, "?linkType=linkset"+phone)}
	}
}

// cycle asks for one code after the other, and begins again.
func cycle(prefix string, codes []serial.Code, rest string) func([]byte) []byte {
	prefix = "GET " + prefix
	var next atomic.Uint64
	return func(b []byte) []byte {
		b = codes[next.Add(1)%uint64(len(codes))].AppendTo(append(b, prefix...))
		return append(b, rest...)
	}
}

// same asks for the same thing again and again.
func same(request string) func([]byte) []byte {
	return func(b []byte) []byte { return append(b, request...) }
}
