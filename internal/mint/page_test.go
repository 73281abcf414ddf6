package mint_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"slices"
	"testing"

	"mintage"
	"mintage/internal/mint"
	"mintage/internal/store/storetest"
)

func TestLinks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.NewProduct(w.brand)
		links, err := w.service.Links(t.Context(), w.p, p.ID)
		if err != nil || len(links) != 0 {
			t.Fatalf("%+v, %v", links, err)
		}
		want := []mintage.Link{
			{Type: "https://gs1.org/voc/pip", Href: "https://www.example.com/{gtin}", Title: "Produkt", Language: "de", MediaType: "text/html", Context: "DE", Default: true},
			{Type: "https://schema.org/about", Href: "https://www.example.com/a", Title: "About"},
		}
		stored, err := w.service.PutLinks(t.Context(), w.p, p.ID, want)
		if err != nil || stored[0].Type != "gs1:pip" || want[0].Type == "gs1:pip" {
			t.Fatalf("%+v, %v", stored, err)
		}
		links, err = w.service.Links(t.Context(), w.p, p.ID)
		if err != nil || !slices.Equal(links, stored) {
			t.Errorf("%+v, %v", links, err)
		}
		before := storetest.Snapshot(t, w.db)
		if _, err := w.service.PutLinks(t.Context(), w.p, p.ID, want); err != nil {
			t.Fatal(err)
		}
		_, err = w.service.PutLinks(t.Context(), w.p, p.ID, []mintage.Link{{Type: "gs1:none", Href: "http://example.com", Title: ""}})
		invalid, ok := errors.AsType[*mintage.InvalidError](err)
		if !ok || len(invalid.Faults) != 4 || invalid.Faults[0].Field != "/links/0/link_type" {
			t.Errorf("%v", err)
		}
		_, err = w.service.PutLinks(t.Context(), w.p, storetest.NewID(), nil)
		code(t, err, mintage.CodeNotFound)
		_, err = w.service.Links(t.Context(), w.p, storetest.NewID())
		code(t, err, mintage.CodeNotFound)
		if changes := storetest.Changes(before, storetest.Snapshot(t, w.db)); changes != "" {
			t.Errorf("nothing was to change:\n%s", changes)
		}
		if links, err = w.service.PutLinks(t.Context(), w.p, p.ID, nil); err != nil || len(links) != 0 {
			t.Errorf("%+v, %v", links, err)
		}
		if n := w.query("SELECT count(*) FROM events WHERE kind = 'product.links_changed' AND subject_id = $1", p.ID); n != 2 {
			t.Errorf("%d events of two changes", n)
		}
	})
}

// picture is an image of a size in a format.
func picture(t *testing.T, format string, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	if format == "png" {
		err = png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height)))
	} else {
		err = jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, width, height)), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// webps are images of 1 by 1 pixels: lossy, lossless, and extended with alpha.
var webps = map[string]string{
	"VP8 ": "UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA",
	"VP8L": "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==",
	"VP8X": "UklGRkoAAABXRUJQVlA4WAoAAAAQAAAAAAAAAAAAQUxQSAwAAAARBxAR/Q9ERP8DAABWUDggGAAAABQBAJ0BKgEAAQAAAP4AAA3AAP7mtQAAAA==",
}

func TestLogo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, _, err := w.service.Logo(t.Context(), w.p)
		code(t, err, mintage.CodeNotFound)
		logos := map[string][]byte{"image/png": picture(t, "png", mint.MaxLogoPixels, 3), "image/jpeg": picture(t, "jpeg", 5, mint.MaxLogoPixels)}
		for _, text := range webps {
			if logos["image/webp"], err = base64.StdEncoding.DecodeString(text); err != nil {
				t.Fatal(err)
			}
			for mediaType, logo := range logos {
				if err := w.service.PutLogo(t.Context(), w.p, logo); err != nil {
					t.Fatalf("%s: %v", mediaType, err)
				}
				got, gotType, err := w.service.Logo(t.Context(), w.p)
				if err != nil || gotType != mediaType || !bytes.Equal(got, logo) {
					t.Errorf("%s: %d bytes of %s, %v", mediaType, len(got), gotType, err)
				}
			}
		}
		if b, err := w.service.Settings(t.Context(), w.p); err != nil || !b.HasLogo {
			t.Errorf("%+v, %v", b, err)
		}
		last, _, err := w.service.Logo(t.Context(), w.p)
		if err != nil {
			t.Fatal(err)
		}
		before := storetest.Snapshot(t, w.db)
		if err := w.service.PutLogo(t.Context(), w.p, last); err != nil {
			t.Fatal(err)
		}
		small := picture(t, "png", 2, 2)
		for name, logo := range map[string][]byte{
			"empty": {}, "text": []byte("logo"), "SVG": []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "GIF": []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00"),
			"cut PNG": small[:20], "cut JPEG": logos["image/jpeg"][:6], "cut WebP": logos["image/webp"][:29], "WebP of a kind that is none": append([]byte("RIFF\x00\x00\x00\x00WEBPVP9 "), make([]byte, 20)...),
			"wide": picture(t, "png", mint.MaxLogoPixels+1, 1), "high": picture(t, "jpeg", 1, mint.MaxLogoPixels+1),
			"wide WebP": append([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00"), make([]byte, 3)...),
			"large":     append(small, make([]byte, mint.MaxLogoBytes)...),
		} {
			if err := w.service.PutLogo(t.Context(), w.p, logo); mintage.ErrorCode(err) != mintage.CodeInvalidInput {
				t.Errorf("%s: %v", name, err)
			}
		}
		if changes := storetest.Changes(before, storetest.Snapshot(t, w.db)); changes != "" {
			t.Errorf("nothing was to change:\n%s", changes)
		}
		for range 2 {
			if err := w.service.DeleteLogo(t.Context(), w.p); err != nil {
				t.Fatal(err)
			}
		}
		_, _, err = w.service.Logo(t.Context(), w.p)
		code(t, err, mintage.CodeNotFound)
		if n := w.query("SELECT count(*) FROM events WHERE kind = 'brand.logo_changed' AND to_state = '' AND subject_id = $1", w.brand.ID); n != 1 {
			t.Errorf("%d events of taking the logo away", n)
		}
	})
}

func TestPageSettings(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		yes, colour, none := true, "#1A5FB4", ""
		b, err := w.service.UpdateBrand(t.Context(), w.p, mint.SettingsPatch{TapToActivate: &yes, AccentColour: &colour})
		if err != nil || !b.TapToActivate || b.AccentColour != "#1a5fb4" {
			t.Fatalf("%+v, %v", b, err)
		}
		if b, err = w.service.Settings(t.Context(), w.p); err != nil || !b.TapToActivate || b.AccentColour != "#1a5fb4" {
			t.Errorf("%+v, %v", b, err)
		}
		for _, colour := range []string{"red", "#fff", "1a5fb4", "#1a5fb4;", "#1a5fbg", " "} {
			_, err := w.service.UpdateBrand(t.Context(), w.p, mint.SettingsPatch{AccentColour: &colour})
			code(t, err, mintage.CodeInvalidInput)
		}
		if b, err = w.service.UpdateBrand(t.Context(), w.p, mint.SettingsPatch{AccentColour: &none}); err != nil || b.AccentColour != "" || !b.TapToActivate {
			t.Errorf("%+v, %v", b, err)
		}
	})
}
