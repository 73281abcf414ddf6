package resolver

import (
	"context"
	"sync"
	"time"

	"mintage"
	"mintage/internal/resolver/passport"
	"mintage/internal/store"
)

const (
	// signalKept is how long the signal of a unit is shown before its scans are counted
	// again.
	signalKept = time.Minute
	// toldKept is how many units are remembered before the others are forgotten; it is
	// at most twice as many, some 200 bytes each, and a reason's length.
	toldKept = 1 << 13
	// justNow is how long a page says that the unit was activated a moment ago.
	justNow = time.Minute
)

// told is what a unit's own rows say: times that never change, once they are there.
type told struct {
	status      mintage.TokenStatus
	activatedAt time.Time // zero: not by a scan
	revokedAt   time.Time
	reason      string

	suspicious bool
	until      time.Time // that suspicious is believed
}

type unitKey struct{ product, ordinal int64 }

// tellings remembers what was told of units: those of this generation and of the one
// before. What is used moves on to the young one.
type tellings struct {
	mu         sync.Mutex
	young, old map[unitKey]told
}

func newTellings() *tellings { return &tellings{young: make(map[unitKey]told)} }

func (l *tellings) of(key unitKey) (told, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t, ok := l.young[key]; ok {
		return t, true
	}
	t, ok := l.old[key]
	if ok {
		l.put(key, t)
	}
	return t, ok
}

func (l *tellings) keep(key unitKey, t told) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.put(key, t)
}

func (l *tellings) put(key unitKey, t told) {
	if len(l.young) >= toldKept {
		l.old, l.young = l.young, make(map[unitKey]told)
	}
	l.young[key] = t
}

// token is what a page tells about a unit: its times and reasons, and whether it is
// scanned in too many places. Of one that is known to be active or revoked it is
// remembered; a revoked one has no signal.
func (r *Resolver) token(ctx context.Context, u *unit) (*passport.Token, error) {
	key, now := unitKey{u.number, u.ordinal}, r.now()
	recall := u.card.covering(u.ordinal)
	is, known := r.told.of(key)
	final := known && is.status == mintage.TokenRevoked
	fresh := known && is.status == mintage.TokenActive && now.Before(is.until) && r.knowsActive(u)
	if !final && !fresh {
		before := is
		err := r.ask(ctx, r.store.For(u.brand), func(rd store.Reader) error {
			states, err := rd.UnitStates(ctx, u.number, u.ordinal, u.ordinal+1)
			if err != nil {
				return err
			}
			is = tell(states, u.batch.ActivationMode.Born())
			is.suspicious, is.until = before.suspicious, before.until
			if is.status == mintage.TokenRevoked || recall != nil || now.Before(is.until) {
				return nil
			}
			networks, err := rd.ScanNetworks(ctx, u.number, u.ordinal, mintage.SignalSince(now))
			is.suspicious, is.until = mintage.Suspicious(networks), now.Add(signalKept)
			return err
		})
		if err != nil {
			return nil, err
		}
		r.told.keep(key, is)
	}
	t := &passport.Token{
		Status: is.status, IssuedAt: u.batch.CreatedAt, ActivatedAt: is.activatedAt,
		RevokedAt: is.revokedAt, Reason: is.reason, Suspicious: is.suspicious,
	}
	if recall != nil {
		if t.Status != mintage.TokenRevoked || recall.At.Before(t.RevokedAt) {
			t.RevokedAt, t.Reason = recall.At, recall.Reason
		}
		t.Status = mintage.TokenRevoked
	}
	t.Suspicious = t.Suspicious && t.Status != mintage.TokenRevoked
	return t, nil
}

// tell reads a unit's own rows.
func tell(states []mintage.UnitState, born mintage.TokenStatus) told {
	is := told{status: statusOf(states, born)}
	for _, s := range states {
		if s.Status == mintage.TokenRevoked {
			is.revokedAt, is.reason = s.At, s.Reason
		} else {
			is.activatedAt = s.At
		}
	}
	return is
}

// knowsActive reports whether the memory has it that a unit is active, and not revoked
// by a row of its own.
func (r *Resolver) knowsActive(u *unit) bool {
	if !r.fresh() {
		return false
	}
	c := u.chunk(u.ordinal)
	if c == nil {
		r.loadLater(u.item, u.ordinal)
		return false
	}
	status, known := c.status(u.ordinal)
	if !known {
		return false
	}
	c.resident.touch()
	if status == mintage.TokenMinted {
		status = u.batch.ActivationMode.Born()
	}
	return status == mintage.TokenActive
}
