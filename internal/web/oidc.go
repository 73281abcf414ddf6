package web

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"mintage"
	"mintage/internal/edge"
)

// OIDCConfig names an OpenID provider (OpenID Connect Core 1.0) to sign in with.
type OIDCConfig struct {
	Name     string // as people know it; it stands on the button
	Issuer   string // URL, exactly as the provider's configuration says it
	ClientID string
	// ClientSecret may be "" for a public client.
	ClientSecret string
}

// callbackPath is where the provider sends people back to; BaseURL and this path
// are what has to be registered there.
const callbackPath = "/sign-in/oidc/callback"

// providerTimeout bounds each request to the provider.
const providerTimeout = 10 * time.Second

// provider is an OpenID provider.
type provider struct {
	config   OIDCConfig
	redirect string
	client   *http.Client

	mu    sync.Mutex
	found *oidc.Provider // nil until it has answered once
}

func newProvider(c *OIDCConfig, baseURL string) (*provider, error) {
	if c == nil {
		return nil, nil //nolint:nilnil // there is none
	}
	issuer, err := url.Parse(c.Issuer)
	if err != nil || (issuer.Scheme != "https" && issuer.Scheme != "http") || issuer.Host == "" || c.ClientID == "" {
		return nil, mintage.Errorf(mintage.CodeInvalidInput, "OpenID Connect needs the URL of the issuer and a client ID.")
	}
	if baseURL == "" {
		return nil, mintage.Errorf(mintage.CodeInvalidInput, "OpenID Connect needs the base URL by which people reach mintage.")
	}
	p := &provider{config: *c, redirect: baseURL + callbackPath, client: &http.Client{Timeout: providerTimeout}}
	if p.config.Name == "" {
		p.config.Name = issuer.Host
	}
	return p, nil
}

// discover returns the provider's configuration. Where it cannot be had:
// UNAVAILABLE, and the next call tries again.
func (p *provider) discover(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	found, err := oidc.NewProvider(p.context(ctx), p.config.Issuer)
	if err != nil {
		return nil, mintage.Errorf(codeProviderAway, "The OpenID provider does not answer.").WithCause(err)
	}
	p.found = found
	return found, nil
}

// context makes requests to the provider with the client that has a timeout.
func (p *provider) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.client)
}

func (p *provider) oauth(found *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, Endpoint: found.Endpoint(),
		RedirectURL: p.redirect, Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}
}

// attempt is one way to the provider and back; it is kept in the session.
type attempt struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"` // of PKCE
	Next     string    `json:"next"`
	Expires  time.Time `json:"expires"`
}

const attemptLife = 10 * time.Minute

// beginOIDC sends the browser to the provider. It is a GET, because a policy of
// form-action 'self' also holds for where a form's answer redirects to; the worst
// that another site can do with it is to begin an attempt that it cannot finish.
func (v *visit) beginOIDC() error {
	if v.provider == nil {
		return mintage.Errorf(mintage.CodeNotFound, "There is no OpenID provider.")
	}
	found, err := v.provider.discover(v.ctx())
	if err != nil {
		return err
	}
	a := attempt{
		State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(),
		Next: next(v.r.URL.Query().Get("next")), Expires: time.Now().Add(attemptLife),
	}
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	v.session.putErrand(sessionOIDC, string(text))
	v.redirect(v.provider.oauth(found).AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)))
	return nil
}

// finishOIDC takes what the provider says and signs in whom it names.
func (v *visit) finishOIDC() error {
	if v.provider == nil {
		return mintage.Errorf(mintage.CodeNotFound, "There is no OpenID provider.")
	}
	var a attempt
	if err := json.Unmarshal([]byte(v.session.text(sessionOIDC)), &a); err != nil || !time.Now().Before(a.Expires) {
		return v.refuseOIDC(errors.New("no attempt is under way, or it took too long"), "oidc.expired")
	}
	query := v.r.URL.Query()
	if subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(a.State)) != 1 {
		// The attempt stays: a forged callback must not end the one under way.
		return v.refuseOIDC(errors.New("the state is not that of the attempt"), "oidc.expired")
	}
	v.session.drop(sessionOIDC)
	if query.Get("error") != "" {
		return v.refuseOIDC(errors.New("the provider refused"), "oidc.refused")
	}
	who, err := v.provider.identify(v.ctx(), query.Get("code"), a)
	switch mintage.ErrorCode(err) {
	case "":
	case codeProviderAway:
		return err
	default:
		return v.refuseOIDC(err, "oidc.refused")
	}
	user, err := v.Access.SignInIdentity(v.ctx(), who.Issuer, who.Subject, who.Email, bool(who.EmailVerified), edge.Origin(v.ctx()))
	switch mintage.ErrorCode(err) {
	case "":
		return v.welcome(user, a.Next)
	case mintage.CodeUnauthorized, mintage.CodeForbidden, mintage.CodeNotFound, mintage.CodeInvalidInput, mintage.CodeConflict:
		return v.refuseOIDC(err, "oidc.no_account")
	default:
		return err
	}
}

// refuseOIDC shows the sign-in page and what went wrong on the way; the log has why.
func (v *visit) refuseOIDC(cause error, key string) error {
	v.Log.Info("a sign-in by OpenID Connect was refused", "request_id", edge.RequestID(v.ctx()), "error", cause)
	f := &form{faults: []fault{{Message: v.language.text(key, v.provider.config.Name)}}}
	return v.renderForm(http.StatusForbidden, "sign_in", v.signInData("/mint"), f)
}

// claims are what mintage asks of an identity.
type claims struct {
	Issuer        string    `json:"iss"`
	Subject       string    `json:"sub"`
	Email         string    `json:"email"`
	EmailVerified looseBool `json:"email_verified"`
}

// looseBool is a bool that some providers write as a string.
type looseBool bool

// UnmarshalJSON takes true and "true" for true, and all else for false.
func (b *looseBool) UnmarshalJSON(text []byte) error {
	*b = string(text) == "true" || string(text) == `"true"`
	return nil
}

// identify redeems an authorization code and returns whom the provider vouches for.
func (p *provider) identify(ctx context.Context, code string, a attempt) (*claims, error) {
	found, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	ctx = p.context(ctx)
	token, err := p.oauth(found).Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		// Its text is the whole answer, which may repeat the code and the secret.
		return nil, errors.New("the provider refused the code: " + refused.Response.Status)
	}
	if err != nil {
		return nil, err
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, errors.New("the provider sent no ID token")
	}
	id, err := found.Verifier(&oidc.Config{ClientID: p.config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.Nonce)) != 1 {
		return nil, errors.New("the nonce is not that of the attempt")
	}
	who := &claims{}
	if err := id.Claims(who); err != nil {
		return nil, err
	}
	if who.Email != "" || found.UserInfoEndpoint() == "" {
		return who, nil
	}
	// Providers may keep the e-mail address for this second question (OpenID
	// Connect Core 1.0, section 5.4).
	info, err := found.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, errors.New("the provider did not say who it is") // its text may repeat the token
	}
	if info.Subject != id.Subject {
		return nil, errors.New("the provider answered for somebody else")
	}
	who.Email, who.EmailVerified = info.Email, looseBool(info.EmailVerified)
	return who, nil
}
