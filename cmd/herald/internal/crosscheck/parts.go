package crosscheck

import (
	"fmt"
	"slices"

	"herald/config"
	proxy "herald/proxy/settings"
	vrrp "herald/vrrp/settings"
)

// checkParts names the parts of the proxy an instance tracks and the other
// file does not have: they count as down for ever.
func checkParts(inst vrrp.Instance, p *proxy.Config, diags *config.Diagnostics) {
	for _, w := range inst.Watched {
		kind := "frontend"
		switch w.Kind {
		case vrrp.AFile, vrrp.AProcess:
			continue
		case vrrp.ABackend:
			kind = "backend"
		}
		i := slices.IndexFunc(p.Proxies, func(px *proxy.Proxy) bool {
			return px.Name == w.Name && (w.Kind == vrrp.AFrontend && px.Frontend || w.Kind == vrrp.ABackend && px.Backend)
		})
		if i < 0 {
			diags.Add(finding(w.Pos, config.Warning, w.Name, fmt.Sprintf(
				"vrrp_instance %s tracks %s %s, which the HAProxy configuration does not have: it counts as down for ever", inst.Name, kind, w.Name)))
			continue
		}
		if n := len(p.Proxies[i].Servers); w.Kind == vrrp.ABackend && n < w.MinServers {
			diags.Add(finding(w.Pos, config.Warning, w.Name, fmt.Sprintf(
				"vrrp_instance %s wants %d servers of backend %s, which has %d: it counts as down for ever", inst.Name, w.MinServers, w.Name, n)))
		}
	}
}
