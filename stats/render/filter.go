package render

import (
	"strings"

	"herald/stats"
)

// Filter chooses the rows of an output.
type Filter struct {
	Proxy   int        // number of the one proxy; 0 or less means all
	Server  int        // number of the one server or listener; 0 or less means all
	Types   stats.Rows // row types; 0 means all
	UpOnly  bool       // leave out servers that are down
	NoMaint bool       // leave out servers in maintenance
	Scope   string     // part of the proxy's name, in any case; empty means all
	Only    []string   // names of proxies; none means all
	// NoLegend leaves out addresses, cookies and algorithms, as a page without
	// `stats show-legends` does.
	NoLegend bool
}

func (f *Filter) proxy(p *stats.Proxy) bool {
	if f.Proxy > 0 && p.ID != f.Proxy {
		return false
	}
	if f.Scope != "" && !strings.Contains(strings.ToLower(p.Name), strings.ToLower(f.Scope)) {
		return false
	}
	if len(f.Only) == 0 {
		return true
	}
	for _, name := range f.Only {
		if name == p.Name {
			return true
		}
	}
	return false
}

func (f *Filter) row(r *stats.Row) bool {
	if f.Types != 0 && !f.Types.Has(r.Type) {
		return false
	}
	if f.Server > 0 && (r.Type == stats.ServerRow || r.Type == stats.ListenerRow) && r.ID != f.Server {
		return false
	}
	if r.Type != stats.ServerRow {
		return true
	}
	maint := strings.HasPrefix(r.Status, "MAINT")
	if f.NoMaint && maint {
		return false
	}
	return !f.UpOnly || !maint && !strings.HasPrefix(r.Status, "DOWN")
}

func (f *Filter) of(c *stats.Column, r *stats.Row) stats.Value {
	if f.NoLegend && c.Legend {
		return stats.Value{}
	}
	return c.Of(r)
}

// each calls do for the rows that pass.
func (f *Filter) each(s *stats.Snapshot, do func(*stats.Row)) {
	for i := range s.Proxies {
		p := &s.Proxies[i]
		if !f.proxy(p) {
			continue
		}
		for j := range p.Rows {
			if f.row(&p.Rows[j]) {
				do(&p.Rows[j])
			}
		}
	}
}
