package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"mintage/internal/mint"
)

// logoTypes are the media types that a logo may have.
var logoTypes = []string{"image/jpeg", "image/png", "image/webp"}

// logo is an image as it is.
type logo struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *server) registerLogo() {
	content := func() map[string]*huma.MediaType {
		all := map[string]*huma.MediaType{}
		for _, t := range logoTypes {
			all[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		}
		return all
	}
	o := op("get_brand_logo", http.MethodGet, "/v1/brand/logo", "Brand", "Get the brand's logo")
	o.Responses = map[string]*huma.Response{"200": {Description: "The image.", Content: content()}}
	o.Metadata[metaRefuses] = []int{http.StatusNotFound}
	register(s, o, s.getLogo)

	o = op("put_brand_logo", http.MethodPut, "/v1/brand/logo", "Brand", "Set the brand's logo, which the passport pages show")
	o.Description = "A PNG, JPEG or WebP image of at most 256 KiB and 2,000 by 2,000 pixels."
	o.Metadata[metaBody] = takesImage
	o.RequestBody = &huma.RequestBody{Required: true, Content: content()}
	o.DefaultStatus = http.StatusNoContent
	register(s, o, s.putLogo)

	o = op("delete_brand_logo", http.MethodDelete, "/v1/brand/logo", "Brand", "Take the brand's logo away")
	register(s, o, s.deleteLogo)
}

func (s *server) getLogo(ctx context.Context, _ *struct{}) (*logo, error) {
	image, mediaType, err := s.Mint.Logo(ctx, principal(ctx))
	if err != nil {
		return nil, err
	}
	return &logo{ContentType: mediaType, Body: image}, nil
}

func (s *server) putLogo(ctx context.Context, in *struct {
	RawBody []byte `contentType:"image/png"`
}) (*struct{}, error) {
	return nil, s.Mint.PutLogo(ctx, principal(ctx), in.RawBody)
}

func (s *server) deleteLogo(ctx context.Context, _ *struct{}) (*struct{}, error) {
	return nil, s.Mint.DeleteLogo(ctx, principal(ctx))
}

// maxImage is the most that the body of a logo may have.
const maxImage = mint.MaxLogoBytes
