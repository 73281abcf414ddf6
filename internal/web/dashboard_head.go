package web

// dashboardHead is what all tabs of the dashboard begin with.
type dashboardHead struct {
	Tab   string
	Query string // what was searched
}

func (v *visit) dashboardHead(tab string) (*dashboardHead, error) {
	return &dashboardHead{Tab: tab}, nil
}
