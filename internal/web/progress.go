package web

import (
	"bytes"
	"fmt"
	"time"

	"mintage"
	"mintage/internal/access"
	"mintage/internal/edge"
	"mintage/internal/mint"
)

// Times of a stream of progress.
const (
	progressInterval = 250 * time.Millisecond // how often the job is looked at
	progressBeat     = 5 * time.Second        // how often its rate is told where nothing else changes
	recheckAfter     = 3 * time.Second        // how often a stream asks whether its reader may go on
)

// progress is how far a batch is; the template batch-progress shows it, in the page and
// in each event of the stream.
type progress struct {
	batchRow

	Steps []progressStep
	Rate  int64  // units a second; 0 where that is not known
	Left  string // in words; "" where that is not known
}

// progressStep is one dot of the line.
type progressStep struct {
	Status  mintage.JobStatus
	At      time.Time // zero where the job has not come there
	Current bool
}

// Reached reports whether the job has been in this state.
func (s progressStep) Reached() bool { return !s.At.IsZero() }

// pace knows how fast a batch is minted, as long as it is watched.
type pace struct {
	visit  *visit
	marks  []paceMark // the latest at the end
	steps  []mint.Step
	status mintage.JobStatus // that steps are of
}

type paceMark struct {
	at     time.Time
	minted int64
}

// paceWindow is how far back the rate looks.
const paceWindow = 10 * time.Second

func (v *visit) newPace() *pace { return &pace{visit: v} }

// progress describes a job's present state.
func (p *pace) progress(w *mint.Work) (progress, error) {
	if p.status != w.Job.Status {
		steps, err := p.visit.Mint.Steps(p.visit.ctx(), p.visit.principal, &w.Batch)
		if err != nil {
			return progress{}, err
		}
		p.steps, p.status = steps, w.Job.Status
	}
	out := progress{batchRow: batchRow{Work: *w}, Steps: lineOf(p.steps, w.Job.Status)}
	out.Rate = p.rate(w, time.Now())
	if out.Rate > 0 && w.Job.Status == mintage.JobProcessing {
		out.Left = p.visit.language.left(time.Duration(w.Batch.Remaining()/out.Rate) * time.Second)
	}
	return out, nil
}

// lineOf is the way of a job: what it has come through, and what is to come.
func lineOf(steps []mint.Step, status mintage.JobStatus) []progressStep {
	at := map[mintage.JobStatus]time.Time{}
	for _, s := range steps {
		at[s.To] = s.At
	}
	end := mintage.JobCompleted
	if status == mintage.JobFailed {
		end = mintage.JobFailed
	}
	var line []progressStep
	for _, s := range []mintage.JobStatus{mintage.JobQueued, mintage.JobReserved, mintage.JobProcessing, end} {
		line = append(line, progressStep{Status: s, At: at[s], Current: s == status})
	}
	return line
}

// rate is how many units a second were minted lately: while the job runs, within the
// window; at its end, on the whole.
func (p *pace) rate(w *mint.Work, now time.Time) int64 {
	if w.Job.StartedAt.IsZero() {
		return 0
	}
	if w.Job.Status.Final() {
		return perSecond(w.Batch.MintedQuantity, w.Job.FinishedAt.Sub(w.Job.StartedAt))
	}
	if len(p.marks) == 0 {
		p.marks = append(p.marks, paceMark{at: w.Job.StartedAt})
	}
	p.marks = append(p.marks, paceMark{now, w.Batch.MintedQuantity})
	for len(p.marks) > 2 && now.Sub(p.marks[1].at) >= paceWindow {
		p.marks = p.marks[1:]
	}
	return perSecond(w.Batch.MintedQuantity-p.marks[0].minted, now.Sub(p.marks[0].at))
}

// perSecond is 0 where the time is too short to say.
func perSecond(units int64, in time.Duration) int64 {
	if in < 100*time.Millisecond {
		return 0
	}
	return rounded(int64(float64(units) / in.Seconds()))
}

// rounded leaves three digits that count: the others would only flicker.
func rounded(n int64) int64 {
	unit := int64(1)
	for n/unit >= 1000 {
		unit *= 10
	}
	return n / unit * unit
}

// left says in words how long something takes.
func (l *language) left(d time.Duration) string {
	switch {
	case d < time.Minute:
		return l.text("progress.left_seconds", max(1, int64(d.Seconds())))
	case d < time.Hour:
		return l.text("progress.left_minutes", int64(d.Minutes())+1)
	default:
		return l.text("progress.left_hours", int64(d.Hours())+1)
	}
}

// progressStream sends how far a batch is, with each change, until it is done or its
// reader may not see it any more. Each event is the whole state, so that a reader who
// comes back needs no other.
func (v *visit) progressStream() error {
	work, err := v.Mint.Batch(v.ctx(), v.principal, v.r.PathValue("batch_id"))
	if err != nil {
		return err
	}
	if err := v.saveSession(); err != nil {
		return err
	}
	v.answered = true
	h := v.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Content-Language", v.language.code)
	h.Add("Vary", "Accept-Language, Cookie")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	out := edge.NewPaced(v.w, edge.ChunkTime)
	pace := v.newPace()
	tell := func(work *mint.Work) error {
		state, err := pace.progress(work)
		if err != nil {
			return err
		}
		return v.sendPart(out, "progress", "batch", "batch-progress", struct{ Progress progress }{state})
	}
	admitted := v.stillAdmitted("watch_mint_job")
	err = v.Mint.Follow(v.ctx(), v.principal, work, -1, mint.Following{
		Interval: v.streams.interval, Heartbeat: v.streams.beat, Stopping: v.Stopping, Admitted: admitted, Changed: tell, Beat: tell,
	})
	if code := mintage.ErrorCode(err); code == mintage.CodeUnauthorized || code == mintage.CodeForbidden || code == mintage.CodeNotFound {
		// The page, asked for again, says why.
		_, _ = fmt.Fprint(out, "event: ended\ndata:\n\n") // nobody to tell
		_ = out.Flush()
	}
	if err != nil && v.ctx().Err() == nil {
		v.Log.Info("a stream of progress broke off", "request_id", edge.RequestID(v.ctx()), "error", err)
	}
	return nil
}

// sendPart sends a part of a page as an event.
func (v *visit) sendPart(out *edge.Paced, event, page, part string, data any) error {
	var text bytes.Buffer
	if err := v.pages.byName[page].ExecuteTemplate(&text, part, &view{visit: v, name: page, Data: data, form: &form{}}); err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString("event: " + event + "\n")
	for line := range bytes.Lines(bytes.TrimSpace(text.Bytes())) {
		b.WriteString("data: ")
		b.Write(bytes.TrimSpace(line))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	if _, err := out.Write(b.Bytes()); err != nil {
		return err
	}
	return out.Flush()
}

// stillAdmitted returns what a stream asks before each of its steps: whether its
// reader may go on. Who has signed out, lost the role or left the brand that the stream
// was begun for is told so within seconds.
func (v *visit) stillAdmitted(op access.Operation) func() error {
	asked := time.Now()
	return func() error {
		if time.Since(asked) < v.streams.recheck {
			return nil
		}
		asked = time.Now()
		again := v.bare(v.w, v.asked)
		var err error
		if again.session, err = again.loadSession(); err != nil {
			return err
		}
		if again.session.text(sessionUser) != v.user.ID {
			return mintage.Errorf(mintage.CodeUnauthorized, "The session has ended.")
		}
		p, err := v.Access.PrincipalOf(v.ctx(), v.user.ID, v.member.BrandID, edge.Origin(v.ctx()))
		if err != nil {
			return err
		}
		return access.Allow(p, op)
	}
}

// streams is how streams behave; tests have less patience.
type streams struct {
	interval, beat, recheck time.Duration
}
