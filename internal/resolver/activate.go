package resolver

import (
	"cmp"
	"context"
	"slices"
	"time"

	"mintage"
	"mintage/internal/store"
)

const (
	// maxGroup is how many units one transaction activates at most, and maxQueue how
	// many may wait: as many as a server has connections by default.
	maxGroup = 256
	maxQueue = 4096
	// groupTime bounds a transaction that activates units.
	groupTime = 10 * time.Second
	// scanActor is who activates, in events.
	scanActor = "scan"
)

// activation is a unit to be activated by a scan.
type activation struct {
	brand  int64
	unit   mintage.UnitState
	event  *mintage.Event
	result activated
	done   chan struct{} // closed when result is there
}

// activated is what became of a unit.
type activated struct {
	status mintage.TokenStatus
	now    bool // by this activation
	err    error
}

// activate activates a unit, or finds out what it is by now. What was handed over is
// done also if ctx ends, as a scan that was answered to nobody still was one.
func (r *Resolver) activate(ctx context.Context, u *unit, origin mintage.Origin) (activated, error) {
	at := r.now()
	a := &activation{
		brand: u.brand,
		unit:  mintage.UnitState{ProductNumber: u.number, Ordinal: u.ordinal, Status: mintage.TokenActive, At: at},
		event: &mintage.Event{
			BrandNumber: u.brand, At: at, Kind: mintage.EventUnitTransition, Actor: scanActor, Origin: origin,
			SubjectID: u.id(), BatchNumber: u.batch.Number,
			ProductNumber: u.number, FirstOrdinal: u.ordinal, Quantity: 1,
			From: string(mintage.TokenMinted), To: string(mintage.TokenActive),
		},
		done: make(chan struct{}),
	}
	select {
	case <-r.stopped:
		return activated{}, stopping()
	default:
	}
	select {
	case r.queue <- a:
	default:
		return activated{}, later("Too many items are scanned for the first time at this moment; try again.")
	}
	select {
	case <-a.done:
	case <-ctx.Done():
		return activated{}, later("The scan was broken off.").WithCause(ctx.Err())
	case <-r.drained: // perhaps with this one, which came at the last moment, left over
		select {
		case <-a.done:
		default:
			return activated{}, stopping()
		}
	}
	if a.result.status == mintage.TokenActive {
		u.activate(u.ordinal)
	}
	return a.result, a.result.err
}

func stopping() *mintage.Error { return later("The server is stopping; try again.") }

func later(message string) *mintage.Error {
	return mintage.Errorf(mintage.CodeUnavailable, "%s", message)
}

// write activates what is queued until ctx ends, and then what is left.
func (r *Resolver) write(ctx context.Context) {
	for {
		select {
		case a := <-r.queue:
			r.writeGroup(ctx, a)
		case <-ctx.Done():
			for {
				select {
				case a := <-r.queue:
					r.writeGroup(ctx, a)
				default:
					return
				}
			}
		}
	}
}

// writeGroup activates a unit together with all others that wait.
func (r *Resolver) writeGroup(ctx context.Context, first *activation) {
	group := []*activation{first}
	for len(group) < maxGroup {
		select {
		case a := <-r.queue:
			group = append(group, a)
			continue
		default:
		}
		break
	}
	// One transaction is of one brand. In the order of units, so that two processes
	// that activate the same ones cannot wait for each other.
	slices.SortStableFunc(group, func(a, b *activation) int {
		return cmp.Or(cmp.Compare(a.brand, b.brand), cmp.Compare(a.unit.ProductNumber, b.unit.ProductNumber),
			cmp.Compare(a.unit.Ordinal, b.unit.Ordinal))
	})
	for len(group) > 0 {
		n := 1
		for n < len(group) && group[n].brand == group[0].brand {
			n++
		}
		r.writeAll(ctx, group[:n])
		group = group[n:]
	}
}

// writeAll activates units of one brand, one by one where that fails for all at once,
// and tells those who wait.
func (r *Resolver) writeAll(ctx context.Context, group []*activation) {
	err := r.commit(ctx, group)
	alone := len(group) > 1 && err != nil && mintage.ErrorCode(err) != mintage.CodeUnavailable
	for i, a := range group {
		if err != nil {
			if alone {
				a.result.err = r.commit(ctx, group[i:i+1])
			} else {
				a.result.err = err
			}
		}
		close(a.done)
	}
}

// commit activates units of one brand in one transaction, in the order of units.
func (r *Resolver) commit(ctx context.Context, group []*activation) error {
	// What was handed over is completed also while the process stops.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), groupTime)
	defer cancel()
	units := make([]mintage.UnitState, len(group))
	for i, a := range group {
		units[i] = a.unit
	}
	return r.store.For(group[0].brand).InTx(ctx, func(tx store.Tx) error {
		did, err := tx.ActivateUnits(ctx, units)
		if err != nil {
			return err
		}
		var events []*mintage.Event
		for i, a := range group {
			a.result = activated{status: mintage.TokenActive, now: did[i]}
			if did[i] {
				events = append(events, a.event)
				continue
			}
			if i > 0 && units[i].ProductNumber == units[i-1].ProductNumber && units[i].Ordinal == units[i-1].Ordinal {
				a.result.status = group[i-1].result.status // one unit, scanned twice at once
				continue
			}
			states, err := tx.UnitStates(ctx, units[i].ProductNumber, units[i].Ordinal, units[i].Ordinal+1)
			if err != nil {
				return err
			}
			a.result.status = statusOf(states, mintage.TokenMinted)
		}
		if len(events) == 0 {
			return nil
		}
		return tx.AppendEvents(ctx, events)
	})
}

// statusOf is what a unit became, by its own rows.
func statusOf(states []mintage.UnitState, born mintage.TokenStatus) mintage.TokenStatus {
	status := born
	for _, s := range states {
		if s.Status == mintage.TokenRevoked || status == mintage.TokenMinted {
			status = s.Status
		}
	}
	return status
}
