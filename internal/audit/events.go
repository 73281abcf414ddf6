package audit

import (
	"context"
	"sort"

	"mintage"
	"mintage/internal/store"
)

// window is how many events are read at a time.
const window = 4 * maxBlock

// eventReader reads the events of one brand in the order of their numbers. It
// reads ahead, because a block may have few of them.
type eventReader struct {
	store store.Store
	brand int64
	// top is how far it may read ahead: what is above may not be sealed yet, and so
	// change until it is asked for.
	top int64

	// What was read: all events with from < number <= to.
	from, to   int64
	events     []*mintage.Event
	unreadable bool // the one event, to, cannot be read
}

// forget makes the next event be read anew.
func (r *eventReader) forget() { r.from, r.to, r.events, r.unreadable = 0, 0, nil, false }

// each calls fn for each event with after < number <= upTo; e is nil for one that
// cannot be read.
func (r *eventReader) each(ctx context.Context, after, upTo int64, fn func(number int64, e *mintage.Event)) error {
	for after < upTo {
		if after < r.from || after >= r.to {
			if err := r.load(ctx, after, max(upTo, r.top)); err != nil {
				return err
			}
		}
		if r.unreadable {
			fn(r.to, nil)
		}
		i := sort.Search(len(r.events), func(i int) bool { return r.events[i].Number > after })
		after = min(upTo, r.to)
		for ; i < len(r.events) && r.events[i].Number <= after; i++ {
			fn(r.events[i].Number, r.events[i])
		}
	}
	return nil
}

// load reads events after a number, as many as one read gives. Where one of
// them cannot be read, it comes as close as it can, and at last to that one alone.
func (r *eventReader) load(ctx context.Context, after, top int64) error {
	r.forget()
	for probed := false; ; {
		list, err := r.read(ctx, after, top, window)
		if err == nil {
			r.from, r.to, r.events = after, top, list
			if len(list) == window {
				// Where the key was lost, the last number may stand twice: the next read
				// has all of it, unless the whole window is that one.
				if r.to = list[window-1].Number; list[0].Number < r.to {
					r.to--
				}
			}
			return nil
		}
		if ctx.Err() != nil || ofThePlace(err) {
			return err
		}
		if !probed {
			probed = true
			if _, err := r.read(ctx, after, after, 1); err != nil {
				return err // it is not a row
			}
		}
		distance := uint64(top) - uint64(after)
		if distance == 1 {
			r.from, r.to, r.unreadable = after, top, true
			return nil
		}
		top = after + int64(distance/2)
	}
}

func (r *eventReader) read(ctx context.Context, after, upTo int64, limit int) (list []*mintage.Event, err error) {
	err = r.store.Read(ctx, func(reader store.Reader) (err error) {
		list, err = reader.EventsBetween(ctx, r.brand, after, upTo, limit)
		return err
	})
	return list, err
}
