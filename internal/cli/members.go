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
		in, secret, err := a.access.Invite(e, p, c.Email, name, mintage.Role(c.Role))
		if err != nil {
			return err
		}
		link := c.base() + "/link/" + secret
		if e.JSON {
			return e.printJSON(map[string]any{"id": in.ID, "email": in.Email, "role": in.Role, "link": link})
		}
		e.printf("Send this link to %s and to nobody else. It works once, within 7 days, and makes a member of the brand, as %s. It signs in to an account that is there already, too, and takes its password away:\n\n  %s\n\n", in.Email, in.Role, link)
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
		people, err := a.access.People(e, p)
		if err != nil {
			return err
		}
		if e.JSON {
			items := []map[string]any{}
			for _, m := range people.Members {
				items = append(items, map[string]any{"id": m.UserID, "status": "joined", "email": m.Email, "name": m.Name, "role": m.Role, "created_at": m.CreatedAt})
			}
			for _, in := range people.Invited {
				items = append(items, map[string]any{"id": in.ID, "status": "invited", "email": in.Email, "name": in.Name, "role": in.Role, "created_at": in.CreatedAt})
			}
			return e.printJSON(map[string]any{"items": items})
		}
		t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "ID\tSTATUS\tE-MAIL\tNAME\tROLE\tSINCE")
		for _, m := range people.Members {
			fmt.Fprintf(t, "%s\tjoined\t%s\t%s\t%s\t%s\n", m.UserID, m.Email, m.Name, m.Role, showTime(m.CreatedAt))
		}
		for _, in := range people.Invited {
			fmt.Fprintf(t, "%s\tinvited\t%s\t%s\t%s\t%s\n", in.ID, in.Email, in.Name, in.Role, showTime(in.CreatedAt))
		}
		return t.Flush()
	})
}

type memberRemoveCmd struct {
	ID string `arg:"" help:"ID of the member or the invitation, as mintage member list shows it."`
	brandFlag
}

func (c *memberRemoveCmd) Run(e *env) error {
	return e.asBrand(c.brandFlag, func(a *app, p mintage.Principal) error {
		if err := a.access.RemoveMember(e, p, c.ID); err != nil {
			return err
		}
		if e.JSON {
			return e.printJSON(map[string]any{"id": c.ID, "removed": true})
		}
		e.printf("Removed from the brand.\n")
		return nil
	})
}
