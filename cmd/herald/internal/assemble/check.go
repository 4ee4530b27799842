package assemble

import (
	"fmt"
	"io"
	"net"
	"net/netip"

	"herald/cmd/herald/internal/crosscheck"
	"herald/config"
	proxydirective "herald/proxy/directive"
	proxysettings "herald/proxy/settings"
	vrrpsettings "herald/vrrp/settings"
)

// Exit codes of Check, those of HAProxy's -c.
const (
	checkFine    = 0 // would start; warnings may stand
	checkErrors  = 1 // an error: the proxy would refuse, or an instance would be left out
	checkNothing = 2 // nothing would run: no instance and no listener
)

// Check reads both configurations, prints every finding of both in file order
// to stderr and a verdict to stdout, and returns the exit code.
func Check(o Options, stdout, stderr io.Writer) int {
	var (
		diags config.Diagnostics
		v     *vrrpsettings.Config
		p     *proxysettings.Config
	)
	if o.Keepalived != "" {
		v = loadVRRP(o, &diags)
	}
	if len(o.HAProxy) > 0 {
		p = loadProxy(o, &diags)
	}
	crosscheck.Both(v, p, localAddresses(), &diags)
	crosscheck.Cluster(v, loadNodes(o), localNetworks(), &diags)
	diags.Sort()
	for _, d := range diags.List() {
		fmt.Fprintln(stderr, d)
	}
	code := verdict(v, p, &diags)
	fmt.Fprintln(stdout, summary(v, p, &diags, code))
	return code
}

// loadNodes reads the files of the other nodes, whose own findings are theirs.
func loadNodes(o Options) []*vrrpsettings.Config {
	var list []*vrrpsettings.Config
	for _, file := range o.Nodes {
		list = append(list, loadVRRP(Options{Keepalived: file, OtherNode: true}, &config.Diagnostics{}))
	}
	return list
}

// localNetworks lists the addresses of this machine by interface.
func localNetworks() []crosscheck.Network {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var list []crosscheck.Network
	for _, i := range interfaces {
		addrs, _ := i.Addrs() // of an interface that went meanwhile: none
		for _, a := range addrs {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil {
				list = append(list, crosscheck.Network{Interface: i.Name, Prefix: prefix})
			}
		}
	}
	return list
}

// verdict decides the exit code.
func verdict(v *vrrpsettings.Config, p *proxysettings.Config, diags *config.Diagnostics) int {
	switch {
	case p != nil && !proxydirective.Listens(p) && instances(v) == 0 && errorsIn(diags) == 1:
		return checkNothing // the one error is that nothing would listen
	case diags.HasErrors():
		return checkErrors
	case instances(v)+listeners(p) == 0:
		return checkNothing
	}
	return checkFine
}

func errorsIn(diags *config.Diagnostics) int {
	n := 0
	for _, d := range diags.List() {
		if d.Severity == config.Error {
			n++
		}
	}
	return n
}

// summary is the last line: what was read and what would happen.
func summary(v *vrrpsettings.Config, p *proxysettings.Config, diags *config.Diagnostics, code int) string {
	count := map[config.Severity]int{}
	for _, d := range diags.List() {
		count[d.Severity]++
	}
	outcome := "Configuration is valid"
	switch code {
	case checkErrors:
		outcome = "Configuration has errors"
	case checkNothing:
		outcome = "Configuration has no error but nothing would run (no instance, no listener)"
	}
	return fmt.Sprintf("%s: %s, %s; %s, %s, %s.", outcome,
		plural(instances(v), "VRRP instance"), plural(listeners(p), "listener"),
		plural(count[config.Error], "error"), plural(count[config.Warning], "warning"), plural(count[config.Notice], "notice"))
}

func instances(v *vrrpsettings.Config) int {
	if v == nil {
		return 0
	}
	return len(v.Instances)
}

func listeners(p *proxysettings.Config) int {
	n := 0
	if p != nil {
		for _, px := range p.Proxies {
			n += len(px.Binds)
		}
	}
	return n
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
