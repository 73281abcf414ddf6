package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store/storetest"
)

// follower reads a watch, event by event.
type follower struct {
	t      *testing.T
	events chan sent // closed at the end
	cancel func()
}

type sent struct {
	id      int64
	comment string
	job     mintJob
}

func (w *world) watch(t *testing.T, jobID, last string) *follower {
	t.Helper()
	return w.watchAs(t, "", jobID, last)
}

func (w *world) watchAs(t *testing.T, key, jobID, last string) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r := w.request(call{key: key, path: "/v1/mint-jobs/" + jobID + "/watch"}).WithContext(ctx)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	response, err := w.http.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("a watch answers %d %s", response.StatusCode, response.Header.Get("Content-Type"))
	}
	f := &follower{t: t, events: make(chan sent, 1000), cancel: cancel}
	go f.read(response)
	return f
}

func (f *follower) read(response *http.Response) {
	defer close(f.events)
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	var e sent
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case lines.Text() == "":
			if e.id != 0 || e.comment != "" || e.job.ID != "" {
				f.events <- e
			}
			e = sent{}
		case name == "id":
			if _, err := fmt.Sscan(value, &e.id); err != nil {
				f.t.Error(err)
			}
		case name == "data":
			if err := json.Unmarshal([]byte(value), &e.job); err != nil {
				f.t.Error(err)
			}
		case name == "":
			e.comment = value
		case name == "event" && value == "progress", name == "retry" && value == "2000":
		default:
			f.t.Errorf("an odd line: %q", lines.Text())
		}
	}
}

// next returns the next event; ok is false at the end of the stream.
func (f *follower) next() (e sent, ok bool) {
	f.t.Helper()
	select {
	case e, ok = <-f.events:
	case <-time.After(30 * time.Second):
		f.t.Fatal("the watch is silent")
	}
	return e, ok
}

// progress skips heartbeats.
func (f *follower) progress() sent {
	f.t.Helper()
	for {
		e, ok := f.next()
		if !ok {
			f.t.Fatal("the watch has ended")
		}
		if e.comment == "" {
			return e
		}
	}
}

func (f *follower) ends() {
	f.t.Helper()
	for {
		e, ok := f.next()
		if !ok {
			return
		}
		if e.comment == "" {
			f.t.Fatalf("the watch goes on: %+v", e)
		}
	}
}

// TestWatch follows jobs that a worker mints meanwhile.
func TestWatch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sub := w.submit(w.newProduct("P").ID, 400)
		f := w.watch(t, sub.JobID, "")
		first := f.progress()
		if first.job.Status != mintage.JobQueued || first.job.ID != sub.JobID {
			t.Fatalf("at once: %+v", first)
		}
		worked := make(chan error, 1)
		go func() { worked <- w.engine(10).RunOnce(t.Context(), 0) }()
		last := first
		for !last.job.Status.Final() {
			e := f.progress()
			if e.id <= last.id || e.job.MintedQuantity < last.job.MintedQuantity {
				t.Fatalf("%+v after %+v", e, last)
			}
			last = e
		}
		if err := <-worked; err != nil {
			t.Fatal(err)
		}
		if last.job.Status != mintage.JobCompleted || last.job.MintedQuantity != 400 {
			t.Errorf("at last: %+v", last)
		}
		f.ends()

		// Resumed, it sends what the client does not have, and then nothing.
		f = w.watch(t, sub.JobID, fmt.Sprint(first.id))
		equal(t, "resumed", f.progress(), last)
		f.ends()
		for _, odd := range []string{"x", "-5", "999999999999999999999", "1e3"} {
			f = w.watch(t, sub.JobID, odd)
			equal(t, "after an odd id", f.progress(), last)
			f.ends()
		}
		w.do(call{path: "/v1/mint-jobs/" + sub.JobID + "/watch", header: map[string]string{"Last-Event-ID": fmt.Sprint(last.id)}}).is(http.StatusNoContent)
	})
}

func TestWatchSendsNothingTwice(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sub := w.submit(w.newProduct("P").ID, 1)
		f := w.watch(t, sub.JobID, "")
		queued := f.progress()
		f.cancel()
		f = w.watch(t, sub.JobID, fmt.Sprint(queued.id))
		w.mintAll(1)
		for {
			e := f.progress()
			if e.id <= queued.id {
				t.Fatalf("sent again: %+v", e)
			}
			if e.job.Status.Final() {
				break
			}
		}
		f.ends()
	})
}

func TestWatchShowsFailure(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sub := w.submit(w.newProduct("P").ID, 5)
		f := w.watch(t, sub.JobID, "")
		f.progress()
		storetest.NewFixture(t, w.db).Fail()
		last := f.progress()
		for !last.job.Status.Final() {
			e := f.progress()
			if e.id <= last.id {
				t.Fatalf("%+v after %+v", e, last)
			}
			last = e
		}
		if last.job.Status != mintage.JobFailed || last.job.ConsecutiveErrors != 3 || last.job.LastError == nil {
			t.Errorf("at last: %+v", last)
		}
		f.ends()
	})
}

func TestWatchEndsOnShutdownAndBeats(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		w := newWorld(t, db, func(s *server) { s.heartbeat = time.Millisecond })
		sub := w.submit(w.newProduct("P").ID, 5)
		f := w.watch(t, sub.JobID, "")
		f.progress()
		if e, ok := f.next(); !ok || e.comment != "heartbeat" {
			t.Errorf("instead of a heartbeat: %+v", e)
		}
		w.stop()
		f.ends()
		// A watch that begins now tells the state and ends.
		f = w.watch(t, sub.JobID, "")
		f.progress()
		f.ends()
	})
}
