package mint_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/store"
)

func TestUpdateBrand(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		name, base, percent := "Renamed", "https://NEW.example/a/", 7
		// What the brand's own people may not do: see TestResolverBasesAreGiven.
		b, err := w.service.OperateBrand(t.Context(), w.p, mint.SettingsPatch{Name: &name, ResolverBase: &base, OverIssuePercent: &percent})
		if err != nil {
			t.Fatal(err)
		}
		if b.Name != name || b.ResolverBase != "https://new.example/a" || b.OverIssuePercent != 7 || b.GS1Required != w.brand.GS1Required || b.ID != w.brand.ID {
			t.Errorf("%+v", b)
		}
		for field, patch := range map[string]mint.SettingsPatch{
			"name": {Name: new(string)}, "resolver_base": {ResolverBase: new(string)}, "over_issue_percent": {OverIssuePercent: new(101)},
			"default_identity_mode": {DefaultIdentityMode: new(mintage.IdentityMode)}, "default_activation_mode": {DefaultActivationMode: new(mintage.ActivationMode("never"))},
			"cycle_size": {CycleSize: new(mintage.MaxCycle + 1)},
		} {
			_, err := w.service.UpdateBrand(t.Context(), w.p, patch)
			code(t, err, mintage.CodeInvalidInput)
			if e := err.(*mintage.Error); e.Field != field { //nolint:errorlint // as it is returned
				t.Errorf("%s: %v", field, err)
			}
		}
		theirs := w.NewBrand()
		_, err = w.service.OperateBrand(t.Context(), w.p, mint.SettingsPatch{ResolverBase: &theirs.ResolverBase})
		code(t, err, mintage.CodeConflict)
		events := w.query("SELECT count(*) FROM events WHERE kind = 'brand.updated' AND subject_id = $1", w.brand.ID)
		if events != 1 {
			t.Errorf("%d events of one change", events)
		}
	})
}

// A brand chooses among the bases that it was given, and takes none by itself:
// neither a free host nor another brand's, which read alike.
func TestResolverBasesAreGiven(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first, second, free, theirs := w.brand.ResolverBase, "https://second.example", "https://free.example", w.NewBrand().ResolverBase
		bases := func(want ...string) {
			t.Helper()
			slices.Sort(want)
			if got, err := w.service.ResolverBases(t.Context(), w.p); err != nil || !slices.Equal(got, want) {
				t.Errorf("the brand's bases are %q, want %q (%v)", got, want, err)
			}
		}
		bases(first)
		var words string
		for _, base := range []string{free, theirs} {
			_, err := w.service.UpdateBrand(t.Context(), w.p, mint.SettingsPatch{ResolverBase: &base})
			code(t, err, mintage.CodeInvalidInput)
			if words == "" {
				words = err.Error()
			}
			if err.Error() != words || strings.Contains(words, base) {
				t.Errorf("%s: %v", base, err)
			}
		}
		bases(first)
		if _, err := w.service.OperateBrand(t.Context(), w.p, mint.SettingsPatch{ResolverBase: &second}); err != nil {
			t.Fatal(err)
		}
		bases(first, second)
		for _, base := range []string{first, second + "/", first} {
			b, err := w.service.UpdateBrand(t.Context(), w.p, mint.SettingsPatch{ResolverBase: &base})
			if err != nil || b.ResolverBase != strings.TrimSuffix(base, "/") {
				t.Errorf("back to %s: %+v, %v", base, b, err)
			}
		}
		bases(first, second)
	})
}

// What is submitted from now on is minted in the brand's cycles; what was submitted
// before stays as it was.
func TestCycleSize(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if w.brand.CycleSize != mintage.MaxCycle {
			t.Errorf("a new brand has cycles of %d", w.brand.CycleSize)
		}
		p := w.NewProduct(w.brand)
		limit := func() int { return w.work(w.submit(request(p, 10))).Job.CycleLimit }
		before := limit()
		if _, err := w.service.UpdateBrand(t.Context(), w.p, mint.SettingsPatch{CycleSize: new(4)}); err != nil {
			t.Fatal(err)
		}
		if after := limit(); before != mintage.MaxCycle || after != 4 {
			t.Errorf("cycles of %d and then %d", before, after)
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
