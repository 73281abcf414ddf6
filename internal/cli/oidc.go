package cli

import (
	"errors"
	"os"
	"strings"

	"mintage"
	"mintage/internal/web"
)

// oidcFlags name an OpenID Connect provider that people sign in with.
type oidcFlags struct {
	Issuer     string `help:"OpenID Connect provider for people to sign in with, such as https://login.example.com. Its redirect URI is BASE-URL/sign-in/oidc/callback." env:"MINTAGE_OIDC_ISSUER" name:"oidc-issuer" placeholder:"URL"`
	ClientID   string `help:"Client ID at the provider. The secret is in the variable MINTAGE_OIDC_CLIENT_SECRET, or in a file." env:"MINTAGE_OIDC_CLIENT_ID" name:"oidc-client-id" placeholder:"ID"`
	SecretFile string `help:"File with the client secret." env:"MINTAGE_OIDC_CLIENT_SECRET_FILE" name:"oidc-client-secret-file" type:"path" placeholder:"FILE"`
	Name       string `help:"What the button calls the provider. Default: the issuer's host." env:"MINTAGE_OIDC_NAME" name:"oidc-name" placeholder:"NAME"`
}

// Validate refuses what cannot be.
func (f oidcFlags) Validate() error {
	if (f.Issuer == "") != (f.ClientID == "") {
		return errors.New("--oidc-issuer and --oidc-client-id belong together")
	}
	return nil
}

// config returns what web needs, nil without a provider.
func (f oidcFlags) config() (*web.OIDCConfig, error) {
	if f.Issuer == "" {
		return nil, nil
	}
	secret := os.Getenv("MINTAGE_OIDC_CLIENT_SECRET")
	if f.SecretFile != "" {
		if secret != "" {
			return nil, mintage.Errorf(mintage.CodeInvalidInput, "Both MINTAGE_OIDC_CLIENT_SECRET and a file with the client secret are given; keep one.")
		}
		text, err := os.ReadFile(f.SecretFile)
		if err != nil {
			return nil, mintage.Errorf(mintage.CodeInvalidInput, "The file with the OpenID client secret cannot be read; check its path and permissions.").WithCause(err)
		}
		secret = strings.TrimSpace(string(text))
	}
	return &web.OIDCConfig{Issuer: f.Issuer, ClientID: f.ClientID, ClientSecret: secret, Name: f.Name}, nil
}
