package mint_test

import (
	"context"
	"sync"
	"testing"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/store"
)

func TestUpdateBrand(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		name, base, percent := "Renamed", "https://NEW.example/a/", 7
		b, err := w.service.UpdateBrand(t.Context(), w.p, mint.SettingsPatch{Name: &name, ResolverBase: &base, OverIssuePercent: &percent})
		if err != nil {
			t.Fatal(err)
		}
		if b.Name != name || b.ResolverBase != "https://new.example/a" || b.OverIssuePercent != 7 || b.GS1Required != w.brand.GS1Required || b.ID != w.brand.ID {
			t.Errorf("%+v", b)
		}
		for field, patch := range map[string]mint.SettingsPatch{
			"name": {Name: new(string)}, "resolver_base": {ResolverBase: new(string)}, "over_issue_percent": {OverIssuePercent: func() *int { n := 101; return &n }()},
		} {
			_, err := w.service.UpdateBrand(t.Context(), w.p, patch)
			code(t, err, mintage.CodeInvalidInput)
			if e := err.(*mintage.Error); e.Field != field { //nolint:errorlint // as it is returned
				t.Errorf("%s: %v", field, err)
			}
		}
		theirs := w.NewBrand()
		_, err = w.service.UpdateBrand(t.Context(), w.p, mint.SettingsPatch{ResolverBase: &theirs.ResolverBase})
		code(t, err, mintage.CodeConflict)
		events := w.query("SELECT count(*) FROM events WHERE kind = 'brand.updated' AND subject_id = $1", w.brand.ID)
		if events != 1 {
			t.Errorf("%d events of one change", events)
		}
	})
}

// Of many changes at the same moment none is lost.
func TestUpdateBrandTogether(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		name, percent, yes := "Together", 3, true
		var wg sync.WaitGroup
		for _, patch := range []mint.SettingsPatch{{Name: &name}, {OverIssuePercent: &percent}, {GS1Required: &yes}, {AdminsSubmit: &yes}} {
			wg.Go(func() {
				if _, err := w.service.UpdateBrand(context.WithoutCancel(t.Context()), w.p, patch); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		b, err := w.service.Settings(t.Context(), w.p)
		if err != nil || b.Name != name || b.OverIssuePercent != percent || !b.GS1Required || !b.AdminsSubmit {
			t.Errorf("%+v, %v", b, err)
		}
		list, err := w.service.Events(t.Context(), w.p, mint.EventFilter{Kind: mintage.EventBrandUpdated}, store.Page{Limit: 10})
		if err != nil || len(list) != 4 {
			t.Errorf("%d events, %v", len(list), err)
		}
	})
}
