package mintage_test

import (
	"slices"
	"testing"

	"mintage"
)

// The design's transitions, written down a second time: the table in the code
// has to say the same, for every pair.
var (
	legalJob = [][2]mintage.JobStatus{
		{"QUEUED", "RESERVED"},
		{"RESERVED", "PROCESSING"},
		{"PROCESSING", "COMPLETED"},
		{"RESERVED", "FAILED"},
		{"PROCESSING", "FAILED"},
	}
	legalToken = [][2]mintage.TokenStatus{
		{"minted", "active"},
		{"active", "revoked"},
		{"minted", "revoked"},
	}
)

func TestJobTransitions(t *testing.T) {
	states := slices.Concat([]mintage.JobStatus{"", "queued", "CANCELLED"}, mintage.JobStatuses)
	for _, from := range states {
		for _, to := range states {
			err := from.To(to)
			if legal := slices.Contains(legalJob, [2]mintage.JobStatus{from, to}); legal != (err == nil) {
				t.Errorf("%q to %q: got %v, legal is %t", from, to, err, legal)
			}
			if err != nil && mintage.ErrorCode(err) != mintage.CodeTransition {
				t.Errorf("%q to %q: code %s", from, to, mintage.ErrorCode(err))
			}
		}
	}
	for _, s := range mintage.JobStatuses {
		if final := s == "COMPLETED" || s == "FAILED"; s.Final() != final {
			t.Errorf("%s: final is %t", s, s.Final())
		}
	}
}

func TestTokenTransitions(t *testing.T) {
	states := slices.Concat([]mintage.TokenStatus{"", "MINTED"}, mintage.TokenStatuses)
	for _, from := range states {
		for _, to := range states {
			if legal := slices.Contains(legalToken, [2]mintage.TokenStatus{from, to}); legal != (from.To(to) == nil) {
				t.Errorf("%q to %q: legal is %t", from, to, legal)
			}
		}
	}
	if !mintage.TokenRevoked.Final() || mintage.TokenActive.Final() || mintage.TokenMinted.Final() {
		t.Error("revoked alone is final")
	}
}

// Each transition of a job is one of its batch, or none: queued, processing,
// then minted or failed.
func TestBatchFollowsItsJob(t *testing.T) {
	legal := [][2]mintage.BatchStatus{
		{"queued", "queued"}, {"queued", "processing"}, {"processing", "minted"},
		{"processing", "failed"}, {"queued", "failed"},
	}
	for _, pair := range legalJob {
		if got := [2]mintage.BatchStatus{pair[0].Batch(), pair[1].Batch()}; !slices.Contains(legal, got) {
			t.Errorf("job %v takes its batch from %s to %s", pair, got[0], got[1])
		}
	}
	var all []mintage.JobStatus
	for _, b := range mintage.BatchStatuses {
		all = append(all, b.Jobs()...)
	}
	if !slices.Equal(all, mintage.JobStatuses) {
		t.Errorf("the batch states cover the job states %v", all)
	}
}

func TestThreeStrikesInARow(t *testing.T) {
	j := mintage.Job{Status: mintage.JobProcessing}
	for i, want := range []mintage.JobStatus{mintage.JobProcessing, mintage.JobProcessing, mintage.JobFailed} {
		if got := j.Strike("no"); got != want || j.ConsecutiveErrors != i+1 || j.LastError != "no" {
			t.Errorf("strike %d: %s, %d errors, %q", i+1, got, j.ConsecutiveErrors, j.LastError)
		}
	}
}

func TestBirthFollowsTheActivationMode(t *testing.T) {
	if mintage.ActiveAtMint.Born() != mintage.TokenActive || mintage.FirstScan.Born() != mintage.TokenMinted {
		t.Error("active_at_mint is born active, first_scan minted")
	}
}

func TestRolesIncludeThoseBelow(t *testing.T) {
	for i, r := range mintage.Roles {
		for j, other := range mintage.Roles {
			if r.Includes(other) != (i >= j) {
				t.Errorf("%s includes %s: %t", r, other, r.Includes(other))
			}
		}
		if r.Includes("root") || mintage.Role("root").Includes(r) {
			t.Errorf("an unknown role takes part in the order with %s", r)
		}
	}
}
