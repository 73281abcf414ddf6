package mint

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/jpeg"
	"image/png"

	"mintage"
	"mintage/internal/store"
)

const (
	// MaxLogoBytes is the most that a logo may have: it is part of a page that opens on a phone.
	MaxLogoBytes = 256 << 10
	// MaxLogoPixels is the most that each side of it may have.
	MaxLogoPixels = 2000
)

// Logo returns the brand's logo and its media type; NOT_FOUND where it has none.
func (s *Service) Logo(ctx context.Context, p mintage.Principal) (logo []byte, mediaType string, err error) {
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		logo, mediaType, err = r.Logo(ctx, p.BrandNumber)
		return err
	})
	if mintage.ErrorCode(err) == mintage.CodeNotFound {
		err = mintage.Errorf(mintage.CodeNotFound, "The brand has no logo.")
	}
	return logo, mediaType, err
}

// PutLogo stores the brand's logo, a PNG, JPEG or WebP; its kind is read from the
// image itself.
func (s *Service) PutLogo(ctx context.Context, p mintage.Principal, logo []byte) error {
	mediaType, err := logoType(logo)
	if err != nil {
		return err
	}
	return s.putLogo(ctx, p, logo, mediaType)
}

// DeleteLogo takes the brand's logo away; where it has none, nothing changes.
func (s *Service) DeleteLogo(ctx context.Context, p mintage.Principal) error {
	return s.putLogo(ctx, p, nil, "")
}

func (s *Service) putLogo(ctx context.Context, p mintage.Principal, logo []byte, mediaType string) error {
	return s.store.For(p.BrandNumber).InTx(ctx, func(tx store.Tx) error {
		b, err := tx.BrandByNumber(ctx, p.BrandNumber)
		if err != nil {
			return err
		}
		before, _, err := tx.Logo(ctx, p.BrandNumber)
		if err != nil && mintage.ErrorCode(err) != mintage.CodeNotFound {
			return err
		}
		if bytes.Equal(before, logo) {
			return nil
		}
		if err := tx.PutLogo(ctx, p.BrandNumber, logo, mediaType); err != nil {
			return err
		}
		e := p.Event(mintage.EventLogoChanged, s.now())
		e.SubjectID, e.To = b.ID, mediaType
		return tx.AppendEvent(ctx, e)
	})
}

// logoType returns the media type of a logo, or refuses it.
func logoType(logo []byte) (string, error) {
	refuse := func(format string, args ...any) (string, error) {
		return "", mintage.Errorf(mintage.CodeInvalidInput, format, args...)
	}
	if len(logo) > MaxLogoBytes {
		return refuse("The logo has more than %d KiB; make it smaller.", MaxLogoBytes>>10)
	}
	var size image.Config
	var mediaType string
	var err error
	switch {
	case bytes.HasPrefix(logo, []byte("\x89PNG\r\n\x1a\n")):
		mediaType = "image/png"
		size, err = png.DecodeConfig(bytes.NewReader(logo))
	case bytes.HasPrefix(logo, []byte("\xff\xd8\xff")):
		mediaType = "image/jpeg"
		size, err = jpeg.DecodeConfig(bytes.NewReader(logo))
	case len(logo) >= 30 && string(logo[:4]) == "RIFF" && string(logo[8:12]) == "WEBP":
		mediaType = "image/webp"
		size = webpSize(logo)
	default:
		return refuse("The logo must be a PNG, JPEG or WebP image.")
	}
	switch {
	case err != nil, size.Width < 1, size.Height < 1:
		return refuse("The logo is a damaged image; export it again.")
	case size.Width > MaxLogoPixels, size.Height > MaxLogoPixels:
		return refuse("The logo is %d by %d pixels; each side may have %d.", size.Width, size.Height, MaxLogoPixels)
	}
	return mediaType, nil
}

// webpSize reads the size of a WebP image from its first chunk (RFC 9649, section 2.5
// to 2.7; RFC 6386, section 9.1); zero where there is none. The image has 30 bytes at least.
func webpSize(data []byte) image.Config {
	chunk, body := string(data[12:16]), data[20:]
	little := func(b []byte) (n int) { // an integer of up to four bytes
		for i, v := range b {
			n |= int(v) << (8 * i)
		}
		return n
	}
	switch {
	case chunk == "VP8 " && string(body[3:6]) == "\x9d\x01\x2a":
		return image.Config{Width: little(body[6:8]) & 0x3fff, Height: little(body[8:10]) & 0x3fff}
	case chunk == "VP8L" && body[0] == 0x2f:
		bits := binary.LittleEndian.Uint32(body[1:5])
		return image.Config{Width: int(bits&0x3fff) + 1, Height: int(bits>>14&0x3fff) + 1}
	case chunk == "VP8X":
		return image.Config{Width: little(body[4:7]) + 1, Height: little(body[7:10]) + 1}
	}
	return image.Config{}
}
