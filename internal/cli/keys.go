package cli

import (
	"fmt"
	"text/tabwriter"
	"time"

	"mintage"
)

type keyCreateCmd struct {
	brandFlag
	Role    string        `help:"What the key may do: viewer, operator, admin or owner." enum:"viewer,operator,admin,owner" required:""`
	Label   string        `help:"What the key is for, such as the program that uses it."`
	Expires time.Duration `help:"How long the key is valid, such as 2160h; without it, for ever." default:"0s" placeholder:"DURATION"`
}

func (c *keyCreateCmd) Run(e *env) error {
	return e.asBrand(c.brandFlag, func(a *app, p mintage.Principal) error {
		var expires time.Time
		if c.Expires > 0 {
			expires = now().Add(c.Expires)
		}
		k, text, err := a.access.CreateKey(e, p, mintage.Role(c.Role), c.Label, expires)
		if err != nil {
			return err
		}
		return e.showKey(k, text)
	})
}

// showKey prints a new key, the only time that anybody sees it.
func (e *env) showKey(k *mintage.APIKey, text string) error {
	if e.JSON {
		return e.printJSON(map[string]any{"key": text, "id": k.ID, "role": k.Role, "label": k.Label})
	}
	e.printf("%s\nThis key is shown only now. Its ID is %s. Send it as Authorization: Bearer mk_…\n", text, k.ID)
	return nil
}

type keyListCmd struct{ brandFlag }

func (c *keyListCmd) Run(e *env) error {
	return e.asBrand(c.brandFlag, func(a *app, p mintage.Principal) error {
		keys, err := a.access.Keys(e, p)
		if err != nil {
			return err
		}
		if e.JSON {
			items := make([]map[string]any, len(keys))
			for i, k := range keys {
				items[i] = map[string]any{
					"id": k.ID, "role": k.Role, "label": k.Label, "created_at": k.CreatedAt,
					"expires_at": orNil(k.ExpiresAt), "revoked_at": orNil(k.RevokedAt), "last_used_at": orNil(k.LastUsedAt),
				}
			}
			return e.printJSON(map[string]any{"items": items})
		}
		t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "KEY\tROLE\tLABEL\tCREATED\tLAST USED\tEXPIRES\tREVOKED")
		for _, k := range keys {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Role, k.Label,
				showTime(k.CreatedAt), showTime(k.LastUsedAt), showTime(k.ExpiresAt), showTime(k.RevokedAt))
		}
		return t.Flush()
	})
}

// orNil is a time in JSON, null for none.
func orNil(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// showTime is a time in a table.
func showTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format("2006-01-02 15:04:05Z")
}

type keyRotateCmd struct {
	ID string `arg:"" help:"ID of the key: the 12 characters after mk_."`
	brandFlag
	Overlap time.Duration `help:"How long the old key goes on being valid." default:"24h" placeholder:"DURATION"`
}

func (c *keyRotateCmd) Run(e *env) error {
	return e.asBrand(c.brandFlag, func(a *app, p mintage.Principal) error {
		k, text, err := a.access.RotateKey(e, p, c.ID, c.Overlap)
		if err != nil {
			return err
		}
		return e.showKey(k, text)
	})
}

type keyRevokeCmd struct {
	ID string `arg:"" help:"ID of the key: the 12 characters after mk_."`
	brandFlag
}

func (c *keyRevokeCmd) Run(e *env) error {
	return e.asBrand(c.brandFlag, func(a *app, p mintage.Principal) error {
		if err := a.access.RevokeKey(e, p, c.ID); err != nil {
			return err
		}
		if e.JSON {
			return e.printJSON(map[string]any{"id": c.ID, "revoked": true})
		}
		e.printf("The key %s is revoked.\n", c.ID)
		return nil
	})
}
