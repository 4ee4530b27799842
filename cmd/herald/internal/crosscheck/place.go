package crosscheck

import (
	"fmt"

	"herald/config"
	proxy "herald/proxy/settings"
	vrrp "herald/vrrp/settings"
)

// checkPlace says that a network namespace of VRRP is not the proxy's: no
// connection to a virtual address gets to it.
func checkPlace(v *vrrp.Config, p *proxy.Config, diags *config.Diagnostics) {
	name := v.Process.NetNamespace
	if name == "" || len(boundAddresses(p)) == 0 {
		return
	}
	d := finding(v.Process.NamespacePos, config.Warning, name, fmt.Sprintf(
		"net_namespace %s holds the virtual addresses, and the proxy listens where herald is started: it does not get connections to them", name))
	d.Fix = "leave net_namespace out and start herald in the namespace: ip netns exec " + name + " herald run"
	diags.Add(d)
}
