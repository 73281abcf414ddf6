package cli

import (
	"fmt"
	"os"
	"strings"
	"time"

	"mintage"
	"mintage/internal/store"
)

// watchInterval is how often the progress of a job is looked up.
const watchInterval = 100 * time.Millisecond

// watch shows a job's progress until it is in a final state: as a bar on a
// terminal, in lines elsewhere, not at all with --json.
func (a *app) watch(e *env, p mintage.Principal, jobID string) (*store.Work, error) {
	bar := &bar{e: e, started: time.Now(), terminal: isTerminal(e.stdout)}
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for {
		w, err := a.mint.Job(e, p, jobID)
		switch {
		case err == nil:
			bar.show(w)
			if w.Job.Status.Final() {
				return w, nil
			}
		case e.Err() == nil && mintage.ErrorCode(err) != mintage.CodeUnavailable:
			return nil, err
		}
		select {
		case <-e.Done():
			return nil, mintage.Errorf(mintage.CodeUnavailable, "Stopped watching; the job goes on. mintage jobs shows it.")
		case <-ticker.C:
		}
	}
}

type bar struct {
	e        *env
	started  time.Time
	terminal bool
	said     string // the last plain line's state and tenth
}

func (b *bar) show(w *store.Work) {
	minted, wanted := w.Batch.MintedQuantity, w.Batch.RequestedQuantity
	rate := float64(minted) / max(time.Since(b.started).Seconds(), 0.001)
	if b.terminal {
		const width = 30
		done := int(minted * width / wanted)
		b.e.printf("\r  %-10s %s%s %9d of %d  %7.0f/s ", w.Job.Status, strings.Repeat("█", done), strings.Repeat("░", width-done), minted, wanted, rate)
		if w.Job.Status.Final() {
			b.e.printf("\n")
		}
		return
	}
	tenth := minted * 10 / wanted
	if now := fmt.Sprint(w.Job.Status, tenth); now != b.said {
		b.said = now
		b.e.printf("  %-10s %3d %%  %d of %d\n", w.Job.Status, minted*100/wanted, minted, wanted)
	}
}

// isTerminal reports whether a person looks at w.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
