package cli

import (
	"fmt"
	"net"
	"strings"
	"text/tabwriter"

	"mintage"
)

type memberInviteCmd struct {
	brandFlag
	Email   string `help:"E-mail address of the person." required:""`
	Name    string `help:"Name of the person; default: the e-mail address."`
	Role    string `help:"What the person may do: viewer, operator, admin or owner." enum:"viewer,operator,admin,owner" required:""`
	BaseURL string `help:"How people reach mintage, as for serve." env:"MINTAGE_BASE_URL" placeholder:"URL"`
	Listen  string `help:"Address that serve listens on: the link's, without a base URL." default:"127.0.0.1:8080" env:"MINTAGE_LISTEN" placeholder:"HOST:PORT" hidden:""`
}

func (c *memberInviteCmd) Run(e *env) error {
	return e.asBrand(c.brandFlag, func(a *app, p mintage.Principal) error {
		name := c.Name
		if name == "" {
			name = c.Email
		}
		m, secret, err := a.access.Invite(e, p, c.Email, name, mintage.Role(c.Role))
		if err != nil {
			return err
		}
		link := c.base() + "/link/" + secret
		if e.JSON {
			return e.printJSON(map[string]any{"user_id": m.UserID, "email": m.Email, "role": m.Role, "link": link})
		}
		e.printf("%s is now %s of the brand. Send this link to nobody else; it signs in once, within 7 days:\n\n  %s\n\n", m.Email, m.Role, link)
		return nil
	})
}

// base is the beginning of a link, as serve would make it.
func (c *memberInviteCmd) base() string {
	if c.BaseURL != "" {
		return strings.TrimSuffix(c.BaseURL, "/")
	}
	if host, port, err := net.SplitHostPort(c.Listen); err == nil && host == "" {
		return "http://" + net.JoinHostPort("localhost", port)
	}
	return "http://" + c.Listen
}

type memberListCmd struct{ brandFlag }

func (c *memberListCmd) Run(e *env) error {
	return e.asBrand(c.brandFlag, func(a *app, p mintage.Principal) error {
		members, err := a.access.Members(e, p)
		if err != nil {
			return err
		}
		if e.JSON {
			items := make([]map[string]any, len(members))
			for i, m := range members {
				items[i] = map[string]any{"user_id": m.UserID, "email": m.Email, "name": m.Name, "role": m.Role, "created_at": m.CreatedAt}
			}
			return e.printJSON(map[string]any{"items": items})
		}
		t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "USER\tE-MAIL\tNAME\tROLE\tSINCE")
		for _, m := range members {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", m.UserID, m.Email, m.Name, m.Role, showTime(m.CreatedAt))
		}
		return t.Flush()
	})
}

type memberRemoveCmd struct {
	User string `arg:"" help:"ID of the user, as mintage member list shows it."`
	brandFlag
}

func (c *memberRemoveCmd) Run(e *env) error {
	return e.asBrand(c.brandFlag, func(a *app, p mintage.Principal) error {
		if err := a.access.RemoveMember(e, p, c.User); err != nil {
			return err
		}
		if e.JSON {
			return e.printJSON(map[string]any{"user_id": c.User, "removed": true})
		}
		e.printf("The user is no longer a member of the brand.\n")
		return nil
	})
}
