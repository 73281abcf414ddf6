package e2e_test

import (
	"strings"
	"testing"
)

const million = 1_000_000

// The main job, as a newcomer runs it: twice on the same data.
func TestDemoMintsAMillion(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		for run := int64(1); run <= 2; run++ {
			got := in.run("demo", "--once", "--units=1000000")
			for field, want := range map[string]any{
				"status": "COMPLETED", "database": in.engine, "duplicate_is_duplicate": true,
				"requested_quantity": float64(million), "minted_quantity": float64(million),
			} {
				if got[field] != want {
					t.Errorf("run %d: %s is %v, want %v", run, field, got[field], want)
				}
			}
			for _, field := range []string{"mint_job_id", "mint_batch_id"} {
				if id, _ := got[field].(string); len(id) != 36 {
					t.Errorf("run %d: %s is %v", run, field, got[field])
				}
			}
			if rate, _ := got["units_per_second"].(float64); rate <= 0 || got["seconds"] == nil {
				t.Errorf("run %d: %v units a second in %v seconds", run, got["units_per_second"], got["seconds"])
			}
			if reasons, _ := got["blocked_reasons"].([]any); len(reasons) < 5 {
				t.Errorf("run %d: blocked for %v", run, got["blocked_reasons"])
			}
			urls, _ := got["sample_resolver_urls"].([]any)
			if len(urls) == 0 || !strings.HasPrefix(urls[0].(string), "http://127.0.0.1:8081/01/09520123456788/10/PB-2027-0731") {
				t.Errorf("run %d: %v", run, urls)
			}
		}
		in.exact(2 * million)
		if n := in.number(`SELECT CASE WHEN count(*) = count(DISTINCT resolver_url) THEN count(*) END FROM units_v`); n != 2*million {
			t.Errorf("%d different URLs", n)
		}
	})
}

func TestDemoSpeaksToPeople(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		out, err := in.command("demo", "--once", "--units=1000").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, want := range []string{"DPP_FIELD_MISSING", "COMMERCIAL_STATUS_NOT_ACTIVE", "PRODUCTION_BATCH_NOT_READY", "is_duplicate true", "COMPLETED", "1000 of 1000", "Back it up"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("the demo does not say %q:\n%s", want, out)
			}
		}
		in.refused(1, "demo", "--once", "--units=1000001")
	})
}
