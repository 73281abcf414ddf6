package storetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"mintage"
	"mintage/internal/store"
	"mintage/internal/store/storetest"
)

// The engines must give times in UTC whatever the machine's zone is.
func init() { time.Local = time.FixedZone("storetest", 5*60*60+45*60) }

// errRollback makes a transaction roll back.
var errRollback = errors.New("the test rolls back")

// oddTexts are no identifiers at all; they are as unknown as a random one.
var oddTexts = []string{"", "x", "018f0000-0000-7000-8000-00000000000", "' OR 1=1 --", "018F0000-0000-7000-8000-00000000000G"}

// unstorable are texts that PostgreSQL cannot keep, so that nothing can have
// them.
var unstorable = []string{"\x00", "a\x00", "\xff"}

// malformedIDs returns what an identifier can be mistaken for: odd texts, and
// other spellings of one that exists, which has one spelling on both engines.
func malformedIDs(id string) []string {
	return slices.Concat(oddTexts, unstorable, []string{
		strings.ToUpper(id), "{" + id + "}", "urn:uuid:" + id, strings.ReplaceAll(id, "-", ""), id + " ",
	})
}

// write runs fn in a transaction that must commit.
func write(t testing.TB, s store.Transactions, fn func(ctx context.Context, tx store.Tx) error) {
	t.Helper()
	ctx := t.Context()
	if err := s.InTx(ctx, func(tx store.Tx) error { return fn(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
}

// read returns what fn read in a transaction of its own.
func read[T any](t testing.TB, s store.Transactions, fn func(ctx context.Context, r store.Reader) (T, error)) T {
	t.Helper()
	v, err := try(t, s, fn)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// try is read for what may fail.
func try[T any](t testing.TB, s store.Transactions, fn func(ctx context.Context, r store.Reader) (T, error)) (v T, err error) {
	t.Helper()
	ctx := t.Context()
	err = s.Read(ctx, func(r store.Reader) (err error) {
		v, err = fn(ctx, r)
		return err
	})
	return v, err
}

// notFound requires that a read fails with NOT_FOUND.
func notFound[T any](t testing.TB, s store.Transactions, fn func(ctx context.Context, r store.Reader) (T, error)) {
	t.Helper()
	_, err := try(t, s, fn)
	wantCode(t, err, mintage.CodeNotFound)
}

// missing requires that a read by a text that nothing can have finds nothing. A
// driver may say that the text itself is to blame.
func missing[T any](t testing.TB, s store.Transactions, fn func(ctx context.Context, r store.Reader) (T, error)) {
	t.Helper()
	if _, err := try(t, s, fn); mintage.ErrorCode(err) != mintage.CodeInvalidInput {
		wantCode(t, err, mintage.CodeNotFound)
	}
}

// refused requires that a transaction fails with the code and that nothing is
// changed by it.
func refused(t testing.TB, db *storetest.DB, code mintage.Code, fn func(ctx context.Context, tx store.Tx) error) {
	t.Helper()
	ctx := t.Context()
	unchanged(t, db, func() {
		t.Helper()
		wantCode(t, db.InTx(ctx, func(tx store.Tx) error { return fn(ctx, tx) }), code)
	})
}

// refusedWithin is refused for an operation whose transaction goes on and
// commits.
func refusedWithin(t testing.TB, db *storetest.DB, code mintage.Code, fn func(ctx context.Context, tx store.Tx) error) {
	t.Helper()
	unchanged(t, db, func() {
		t.Helper()
		write(t, db, func(ctx context.Context, tx store.Tx) error {
			t.Helper()
			wantCode(t, tx.Savepoint(ctx, func() error { return fn(ctx, tx) }), code)
			return nil
		})
	})
}

// unchanged requires that fn leaves the database as it was.
func unchanged(t testing.TB, db *storetest.DB, fn func()) {
	t.Helper()
	before := storetest.Snapshot(t, db)
	fn()
	if changes := storetest.Changes(before, storetest.Snapshot(t, db)); changes != "" {
		t.Fatalf("something has changed:\n%s", changes)
	}
}

func wantCode(t testing.TB, err error, code mintage.Code) {
	t.Helper()
	if got := mintage.ErrorCode(err); got != code {
		t.Fatalf("got code %q (%v), want %q", got, err, code)
	}
}

// wantLost asserts that a transaction's connection broke: before its commit was on
// the wire or after, which is a matter of a moment.
func wantLost(t testing.TB, err error) {
	t.Helper()
	if code := mintage.ErrorCode(err); code != mintage.CodeUnavailable && code != mintage.CodeUnknown {
		t.Errorf("got %v, want an error of a lost connection", err)
	}
}

// same requires that two values are equal in every field, times included, down
// to their zone.
func same(t testing.TB, got, want any) {
	t.Helper()
	g, w := text(t, got), text(t, want)
	if g != w {
		t.Fatalf("got\n%s\nwant\n%s", g, w)
	}
}

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// copyOf returns a copy of what p points to.
func copyOf[T any](p *T) *T {
	c := *p
	return &c
}

// as opens the database for a group role of PostgreSQL: on SQLite, which has no roles,
// that is the store itself.
func as(t *testing.T, db *storetest.DB, group string) store.Store {
	t.Helper()
	if db.Engine() == "sqlite" {
		return db
	}
	return db.As(t, group)
}

// mapped returns the results of fn.
func mapped[T, R any](list []T, fn func(T) R) []R {
	results := make([]R, 0, len(list))
	for _, v := range list {
		results = append(results, fn(v))
	}
	return results
}

// started runs fn in a goroutine and returns where its error will be received.
func started(fn func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- fn() }()
	return done
}

// receive waits for a value that must come.
func receive[T any](t testing.TB, from <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(30 * time.Second):
		t.Fatalf("it has not come: %s", what)
	}
	return v
}

// empty requires that a channel has nothing to receive.
func empty[T any](t testing.TB, from <-chan T, what string) {
	t.Helper()
	select {
	case v := <-from:
		t.Fatalf("%s: %v", what, v)
	default:
	}
}

// held is a transaction that has done its work and stays open until it is told
// how to end.
type held struct {
	end  chan error
	done <-chan error
}

// hold begins a transaction, runs fn in it and keeps it open.
func hold(t testing.TB, s store.Transactions, fn func(ctx context.Context, tx store.Tx) error) *held {
	t.Helper()
	ctx := t.Context()
	h := &held{end: make(chan error, 1)}
	ready := make(chan struct{}, 1)
	h.done = started(func() error {
		return s.InTx(ctx, func(tx store.Tx) error {
			if err := fn(ctx, tx); err != nil {
				return err
			}
			ready <- struct{}{}
			select {
			case err := <-h.end:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	select {
	case <-ready:
	case err := <-h.done:
		t.Fatalf("the transaction to be held has failed: %v", err)
	case <-time.After(30 * time.Second):
		t.Fatal("the transaction to be held does not begin")
	}
	return h
}

// commit ends a held transaction.
func (h *held) commit(t testing.TB) {
	t.Helper()
	h.end <- nil
	if err := receive(t, h.done, "the end of the held transaction"); err != nil {
		t.Fatal(err)
	}
}

// rollback ends a held transaction without a trace.
func (h *held) rollback(t testing.TB) {
	t.Helper()
	h.end <- errRollback
	if err := receive(t, h.done, "the end of the held transaction"); !errors.Is(err, errRollback) {
		t.Fatalf("got %v, want the function's own error", err)
	}
}

// count runs a query of one number around the store.
func count(t testing.TB, db *storetest.DB, query string) int64 {
	t.Helper()
	raw := db.Raw(t)
	defer raw.Close()
	var n int64
	if err := raw.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// execute runs a statement around the store.
func execute(t testing.TB, db *storetest.DB, statement string) {
	t.Helper()
	raw := db.Raw(t)
	defer raw.Close()
	if _, err := raw.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// pages lists everything, limit rows at a time, and requires that each page but
// the last is full.
func pages[T any](t testing.TB, limit int, number func(T) int64, list func(page store.Page) []T) []T {
	t.Helper()
	var all []T
	page := store.Page{Limit: limit}
	for {
		rows := list(page)
		if len(rows) > limit {
			t.Fatalf("a page of %d has %d rows", limit, len(rows))
		}
		all = append(all, rows...)
		if len(rows) < limit {
			return all
		}
		page.After = number(rows[len(rows)-1])
	}
}

// newestFirst returns the numbers of a list that was created oldest first, in
// the order of a listing.
func newestFirst[T any](created []T, number func(T) int64) []int64 {
	numbers := mapped(created, number)
	slices.Reverse(numbers)
	return numbers
}

func workOf(t testing.TB, s store.Store, w *store.Work) *store.Work {
	t.Helper()
	return read(t, s, func(ctx context.Context, r store.Reader) (*store.Work, error) {
		return r.WorkByJobID(ctx, w.Job.BrandNumber, w.Job.ID)
	})
}

// drain mints whatever is still to be minted.
func drain(t testing.TB, s store.Store, f *storetest.Fixture) {
	t.Helper()
	for more := true; more; {
		write(t, s, func(ctx context.Context, tx store.Tx) error {
			w, err := tx.ClaimJob(ctx)
			if more = w != nil; err != nil || !more {
				return err
			}
			return f.Cycle(ctx, tx, w, w.Batch.Remaining())
		})
	}
}
