package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/store/storetest"
)

func query(name, value string) string { return url.Values{name: {value}}.Encode() }

func TestRevoke(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := newStock(w)
		b := s.by(mintage.RoleAdmin)
		path := "/mint/tokens/" + s.units[2].ID
		before := storetest.Snapshot(t, w.db)
		b.get(path+"/revoke").wants(http.StatusOK, "Revoke a token", "It is permanent", "told that it is revoked", "Revoke for good")
		b.post(path+"/revoke").wants(http.StatusUnprocessableEntity, `<a href="#reason">Enter the reason</a>`)
		b.post(path+"/revoke", "reason", strings.Repeat("x", 501)).wants(http.StatusUnprocessableEntity, "Enter a reason of 1 to 500 characters")
		s.by(mintage.RoleOperator).get(path+"/revoke").wants(http.StatusForbidden, "This needs the role Admin")
		s.by(mintage.RoleOperator).post(path+"/revoke", "reason", "torn").wants(http.StatusForbidden)
		theirs := b.post("/mint/tokens/"+s.theirs.ID+"/revoke", "reason", "torn").wants(http.StatusNotFound)
		nobodys := b.post("/mint/tokens/"+s.units[2].ID[:9]+"0000000000AB/revoke", "reason", "torn").wants(http.StatusNotFound)
		if theirs.body != nobodys.body {
			t.Error("another brand's token does not look like one that does not exist")
		}
		b.get("/mint/tokens/" + s.theirs.ID + "/revoke").wants(http.StatusNotFound)
		if changes := storetest.Changes(before, storetest.Snapshot(t, w.db)); changes != "" {
			t.Errorf("nothing was to change:\n%s", changes)
		}

		b.post(path+"/revoke", "reason", " Lost at the printer’s ").goesTo(path + "?done=revoked")
		b.get(path+"?done=revoked").wants(http.StatusOK, "The token is revoked.", "Lost at the printer’s", "by you").lacks("Revoke this token")
		before = storetest.Snapshot(t, w.db)
		b.post(path+"/revoke", "reason", "again").goesTo(path + "?done=already")
		b.get(path + "/revoke").goesTo(path + "?done=already")
		b.get(path+"?done=already").wants(http.StatusOK, "was revoked before; nothing was changed", "Lost at the printer’s").lacks("again")
		if changes := storetest.Changes(before, storetest.Snapshot(t, w.db)); changes != "" {
			t.Errorf("nothing was to change:\n%s", changes)
		}
		if got := s.by(mintage.RoleOperator).listed("/mint/tokens?status=revoked"); len(got) != 1 || got[0] != s.units[2].ID {
			t.Errorf("revoked are %q", got)
		}
	})
}

func TestRecall(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := newStock(w)
		b := s.by(mintage.RoleAdmin)
		path := "/mint/batches/" + s.scanned.Batch.ID + "/recall"
		before := storetest.Snapshot(t, w.db)
		b.get(path).wants(http.StatusOK, "The whole batch", "60 tokens", "The lot PB-1", "20 tokens", "It is permanent").lacks("still being minted")
		b.get(path+"?lot=PB-2").wants(http.StatusOK, `value="lot:PB-2" checked`)
		b.post(path).wants(http.StatusUnprocessableEntity, "Choose what to recall", "Enter the reason", "Type the number of tokens that you recall")
		for name, fields := range map[string][]string{
			"another number":  {"recall_part", "batch", "reason", "glue", "recall_confirm", "61"},
			"a lot's number":  {"recall_part", "batch", "reason", "glue", "recall_confirm", "20"},
			"not the word":    {"recall_part", "lot:PB-1", "reason", "glue", "recall_confirm", "yes"},
			"a foreign lot":   {"recall_part", "lot:THEIRS", "reason", "glue", "recall_confirm", "RECALL"},
			"nothing we know": {"recall_part", "all", "reason", "glue", "recall_confirm", "RECALL"},
			"a long reason":   {"recall_part", "batch", "reason", strings.Repeat("x", 501), "recall_confirm", "60"},
		} {
			if p := b.post(path, fields...); p.status != http.StatusUnprocessableEntity {
				t.Errorf("%s: %d", name, p.status)
			}
		}
		s.by(mintage.RoleOperator).post(path, "recall_part", "batch", "reason", "glue", "recall_confirm", "60").wants(http.StatusForbidden)
		post := func(id string) *page {
			return b.post("/mint/batches/"+id+"/recall", "recall_part", "batch", "reason", "glue", "recall_confirm", "RECALL").wants(http.StatusNotFound)
		}
		if post(s.foreign.Batch.ID).body != post(storetest.NewID()).body {
			t.Error("another brand's batch does not look like one that does not exist")
		}
		if changes := storetest.Changes(before, storetest.Snapshot(t, w.db)); changes != "" {
			t.Errorf("nothing was to change:\n%s", changes)
		}

		b.post(path, "recall_part", "lot:PB-1", "reason", "The glue does not hold", "recall_confirm", "20").goesTo(path + "?done=recalled")
		b.get(path+"?done=recalled").wants(http.StatusOK, "Recalled. Every token of it is revoked.", "The glue does not hold", "The whole batch", "The lot PB-2").lacks(`value="lot:PB-1"`)
		operator := s.by(mintage.RoleOperator)
		if got := operator.listed("/mint/tokens?status=revoked"); len(got) != 20 || got[0] != s.units[0].ID {
			t.Errorf("%d are revoked", len(got))
		}
		before = storetest.Snapshot(t, w.db)
		b.post(path, "recall_part", "lot:PB-1", "reason", "again", "recall_confirm", "RECALL").goesTo(path + "?done=already")
		if changes := storetest.Changes(before, storetest.Snapshot(t, w.db)); changes != "" {
			t.Errorf("nothing was to change:\n%s", changes)
		}
		b.post(path, "recall_part", "batch", "reason", "All of it", "recall_confirm", "60").goesTo(path + "?done=recalled")
		b.get(path).wants(http.StatusOK, "All of it").lacks("Recall for good")

		// While units are still to come, they are covered.
		half := w.fixture.Submit(s.product, 1500)
		w.fixture.Mint(500)
		path = "/mint/batches/" + half.Batch.ID + "/recall"
		b.get(path).wants(http.StatusOK, "500 of 1,500 minted", "still being minted", "1,000 tokens that are still to come").lacks("The lot ")
		b.post(path, "recall_part", "batch", "reason", "Wrong colour", "recall_confirm", "1,500").goesTo(path + "?done=recalled")
		b.get(path).wants(http.StatusOK, "1,000 tokens of the batch are still to be minted")
		w.fixture.Mint(1000)
		if got := operator.listed("/mint/tokens?status=active&batch=" + half.Batch.ID); len(got) != 0 {
			t.Errorf("%d tokens of a recalled batch are active", len(got))
		}
	})
}
