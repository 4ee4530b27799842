// Package crosscheck finds what only both configurations together can show:
// a listener on an address that will never be here, a virtual address nobody
// serves, a check that asks for a proxy that is not configured.
//
// It is a core: the machine's addresses arrive as an argument. It reports and
// changes nothing; every finding is a warning or a notice, for each file is
// valid by itself.
//
//	var diags config.Diagnostics
//	crosscheck.Both(vrrpSettings, proxySettings, localAddresses, &diags)
package crosscheck

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"herald/config"
	proxy "herald/proxy/settings"
	vrrp "herald/vrrp/settings"
)

// Both adds what v and p say against each other to diags. Either may be nil
// when its file is absent. local lists the addresses of this machine; nil
// means unknown, and findings that need them are left out.
func Both(v *vrrp.Config, p *proxy.Config, local []netip.Addr, diags *config.Diagnostics) {
	if v == nil || p == nil {
		return
	}
	checkPlace(v, p, diags)
	binds := boundAddresses(p)
	virtual := virtualAddresses(v)
	for _, b := range binds {
		if local != nil && !b.addr.IsUnspecified() && !virtual[b.addr] && !slices.Contains(local, b.addr) {
			diags.Add(finding(b.bind.Pos, config.Warning, b.bind.Host, fmt.Sprintf(
				"%s binds %s, which is neither an address of this machine nor a virtual address: nothing will reach it", b.proxy, b.addr)))
		}
	}
	for _, inst := range v.Instances {
		checkInstance(v, inst, binds, diags)
		checkParts(inst, p, diags)
	}
}

// checkInstance looks at the addresses of one instance from the proxy's side.
func checkInstance(v *vrrp.Config, inst vrrp.Instance, binds []bound, diags *config.Diagnostics) {
	served := ""
	for _, a := range slices.Concat(inst.Addresses, inst.Excluded) {
		by := servedBy(a.Prefix.Addr(), binds)
		if by == "" {
			diags.Add(finding(inst.Pos, config.Notice, a.Prefix.Addr().String(), fmt.Sprintf(
				"virtual address %s of vrrp_instance %s is bound by no frontend", a.Prefix.Addr(), inst.Name)))
			continue
		}
		served = by
	}
	if served != "" && !tracksProxy(v, inst) {
		d := finding(inst.Pos, config.Notice, inst.Name, fmt.Sprintf(
			"vrrp_instance %s does not track the proxy, so its addresses stay here when the proxy cannot serve %s", inst.Name, served))
		d.Fix = `track a vrrp_script with: script "killall -0 haproxy"`
		diags.Add(d)
	}
}

// bound is one TCP listener of a proxy.
type bound struct {
	proxy string
	bind  proxy.Bind
	addr  netip.Addr
}

// reaches reports whether the listener accepts connections to addr.
func (b bound) reaches(addr netip.Addr) bool {
	if !b.addr.IsUnspecified() {
		return b.addr == addr
	}
	return b.addr.Is4() == addr.Is4() || b.bind.V4V6
}

func boundAddresses(p *proxy.Config) []bound {
	var all []bound
	for _, px := range p.Proxies {
		for _, b := range px.Binds {
			if b.Network != "tcp" || px.Disabled {
				continue
			}
			host := b.Host
			if host == "" {
				host = "0.0.0.0"
			}
			if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
				all = append(all, bound{px.Name, b, addr.WithZone("")})
			}
		}
	}
	return all
}

func virtualAddresses(v *vrrp.Config) map[netip.Addr]bool {
	set := map[netip.Addr]bool{}
	for _, inst := range v.Instances {
		for _, a := range slices.Concat(inst.Addresses, inst.Excluded) {
			set[a.Prefix.Addr()] = true
		}
	}
	return set
}

func servedBy(addr netip.Addr, binds []bound) string {
	for _, b := range binds {
		if b.reaches(addr) {
			return b.proxy
		}
	}
	return ""
}

func tracksProxy(v *vrrp.Config, inst vrrp.Instance) bool {
	if slices.ContainsFunc(inst.Watched, func(w vrrp.Watched) bool { return w.Kind == vrrp.AFrontend || w.Kind == vrrp.ABackend }) {
		return true
	}
	if slices.ContainsFunc(inst.Watched, func(w vrrp.Watched) bool {
		return w.Kind == vrrp.AProcess && slices.ContainsFunc(v.Processes, func(p vrrp.TrackedProcess) bool { return p.Name == w.Name && p.InProcess })
	}) {
		return true
	}
	return slices.ContainsFunc(inst.Tracks, func(t vrrp.Track) bool {
		return slices.ContainsFunc(v.Scripts, func(s vrrp.Script) bool { return s.Name == t.Source && s.InProcess })
	})
}

func finding(pos config.Pos, sev config.Severity, word, message string) config.Diagnostic {
	return config.Diagnostic{Pos: pos, Severity: sev, Kind: config.Cross, Word: word, Message: message}
}
