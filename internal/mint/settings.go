package mint

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mintage"
	"mintage/internal/gs1"
	"mintage/internal/store"
)

// SettingsPatch changes a brand; what is nil stays as it is.
type SettingsPatch struct {
	Name                   *string
	ResolverBase           *string
	GS1Required            *bool
	OverIssuePercent       *int
	LotFromProductionBatch *bool
	AdminsSubmit           *bool
	TapToActivate          *bool
	DefaultIdentityMode    *mintage.IdentityMode
	DefaultActivationMode  *mintage.ActivationMode
	CycleSize              *int
	AccentColour           *string // "#rrggbb", or "" for mintage's own
}

// Settings returns the principal's brand.
func (s *Service) Settings(ctx context.Context, p mintage.Principal) (b *mintage.Brand, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		b, err = r.BrandByNumber(ctx, p.BrandNumber)
		return err
	})
	return b, err
}

// ResolverBases lists the bases that belong to the principal's brand, and that it
// may choose from.
func (s *Service) ResolverBases(ctx context.Context, p mintage.Principal) (bases []string, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		bases, err = r.BasesOf(ctx, p.BrandNumber)
		return err
	})
	return bases, err
}

// UpdateBrand changes the settings of the principal's brand, for what is submitted
// from now on: a batch has copied the base and what follows from the other settings,
// and what was committed of a production batch stays where the percentage falls
// below it. What the passport page looks like, and whether it asks for a tap, changes for
// every unit. The resolver base must be one of [Service.ResolverBases]: a host is
// taken for ever, from everybody, so that a brand cannot take it by itself.
func (s *Service) UpdateBrand(ctx context.Context, p mintage.Principal, patch SettingsPatch) (*mintage.Brand, error) {
	return s.updateBrand(ctx, p, patch, func(r store.Reader, base string) error {
		bases, err := r.BasesOf(ctx, p.BrandNumber)
		if err != nil || slices.Contains(bases, base) {
			return err
		}
		return mintage.Errorf(mintage.CodeInvalidInput,
			"The resolver base is none of the brand's; choose one of its resolver_bases, or have whoever runs this installation add it (mintage brand update --resolver-base).").WithField("resolver_base")
	})
}

// OperateBrand is [Service.UpdateBrand] for the operator of the installation, who may
// also give the brand a new resolver base, for ever; CONFLICT where it is another
// brand's.
func (s *Service) OperateBrand(ctx context.Context, p mintage.Principal, patch SettingsPatch) (*mintage.Brand, error) {
	return s.updateBrand(ctx, p, patch, func(store.Reader, string) error { return nil })
}

func (s *Service) updateBrand(
	ctx context.Context, p mintage.Principal, patch SettingsPatch, mayUse func(r store.Reader, base string) error,
) (*mintage.Brand, error) {
	if patch.ResolverBase != nil {
		base, err := parseBase(*patch.ResolverBase)
		if err != nil {
			return nil, err
		}
		patch.ResolverBase = &base
	}
	if patch.AccentColour != nil {
		colour, err := parseColour(*patch.AccentColour)
		if err != nil {
			return nil, err
		}
		patch.AccentColour = &colour
	}
	var out *mintage.Brand
	err := s.store.For(p.BrandNumber).InTx(ctx, func(tx store.Tx) error {
		// The brand's members are locked for the sake of the brand: of two changes
		// the second has to see what the first did.
		if _, err := tx.LockMembers(ctx, p.BrandNumber); err != nil {
			return err
		}
		b, err := tx.BrandByNumber(ctx, p.BrandNumber)
		if err != nil {
			return err
		}
		if patch.ResolverBase != nil {
			if err := mayUse(tx, *patch.ResolverBase); err != nil {
				return err
			}
		}
		out = b
		percent := b.OverIssuePercent
		changed := patch.apply(b)
		if len(changed) == 0 {
			return nil
		}
		if err := b.Validate(); err != nil {
			return err
		}
		if err := tx.UpdateBrand(ctx, b); err != nil {
			return baseTaken(err)
		}
		e := p.Event(mintage.EventBrandUpdated, s.now())
		e.SubjectID, e.Message = b.ID, "Changed: "+strings.Join(changed, ", ")+"."
		if b.OverIssuePercent != percent { // an auditor has to know what was allowed when
			e.From, e.To = strconv.Itoa(percent), strconv.Itoa(b.OverIssuePercent)
		}
		return tx.AppendEvent(ctx, e)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// apply changes b and names what it has changed.
func (p SettingsPatch) apply(b *mintage.Brand) (changed []string) {
	changed = set(changed, "name", &b.Name, p.Name)
	changed = set(changed, "resolver_base", &b.ResolverBase, p.ResolverBase)
	changed = set(changed, "gs1_required", &b.GS1Required, p.GS1Required)
	changed = set(changed, "over_issue_percent", &b.OverIssuePercent, p.OverIssuePercent)
	changed = set(changed, "lot_from_production_batch", &b.LotFromProductionBatch, p.LotFromProductionBatch)
	changed = set(changed, "admins_submit", &b.AdminsSubmit, p.AdminsSubmit)
	changed = set(changed, "tap_to_activate", &b.TapToActivate, p.TapToActivate)
	changed = set(changed, "default_identity_mode", &b.DefaultIdentityMode, p.DefaultIdentityMode)
	changed = set(changed, "default_activation_mode", &b.DefaultActivationMode, p.DefaultActivationMode)
	changed = set(changed, "cycle_size", &b.CycleSize, p.CycleSize)
	return set(changed, "accent_colour", &b.AccentColour, p.AccentColour)
}

func set[T comparable](changed []string, name string, to, from *T) []string {
	if from == nil || *from == *to {
		return changed
	}
	*to = *from
	return append(changed, name)
}

var colour = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// parseColour normalises an accent colour. That text on it can be read is the
// page's business, which takes a darker or lighter shade where it must.
func parseColour(text string) (string, error) {
	text = strings.ToLower(text)
	if text != "" && !colour.MatchString(text) {
		return "", mintage.Errorf(mintage.CodeInvalidInput, "The accent colour must be like #1a5fb4.").WithField("accent_colour")
	}
	return text, nil
}

// parseBase normalises a resolver base.
func parseBase(text string) (string, error) {
	base, err := gs1.ParseBase(text)
	if err != nil {
		return "", mintage.Errorf(mintage.CodeInvalidInput, "%s", mintage.ErrorMessage(err)).WithField("resolver_base")
	}
	return string(base), nil
}

// baseTaken gives a CONFLICT of the store its words.
func baseTaken(err error) error {
	if mintage.ErrorCode(err) != mintage.CodeConflict {
		return err
	}
	return mintage.Errorf(mintage.CodeConflict, "The resolver base belongs to another brand, for ever; choose another one.").WithField("resolver_base").WithCause(err)
}
