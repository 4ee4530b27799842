// Package assemble is the one place that sees everything: it reads the
// configuration files, joins the shells of vrrp and proxy with their edges,
// and runs each as a role of the parent process.
//
// It holds no logic of its own beyond the order of steps; what is decided is
// decided in the packages it joins.
//
//	o := assemble.Options{Keepalived: "/etc/keepalived/keepalived.conf"}
//	code := assemble.Check(o, os.Stdout, os.Stderr)
//	err := assemble.RunVRRPRole(ctx, role, o)
package assemble

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"herald/cmd/herald/internal/ipc"
	"herald/config"
	"herald/config/block"
	"herald/config/block/disk"
	"herald/config/line"
	proxydirective "herald/proxy/directive"
	proxysettings "herald/proxy/settings"
	vrrpdirective "herald/vrrp/directive"
	vrrpsettings "herald/vrrp/settings"
)

// Options say which files make the configuration. An empty Keepalived or
// HAProxy means that there is none.
type Options struct {
	Keepalived string
	HAProxy    []string // files and directories, in order
	Nodes      []string // keepalived.conf of the other nodes, for Check
	Version    string   // of herald, for the page
	ConfigID   string   // of lines that begin with @; the short host name when empty
	FastStop   bool     // addresses go with the resignation, not after it
	OtherNode  bool     // the files are another machine's
	// InNamespace says that the parent is in the network namespace of the
	// configuration, too.
	InNamespace bool
	// ReleaseDate is when the version's source was committed, "2026/11/22".
	ReleaseDate string
}

// patience is how long a stop may wait for successors.
func (o Options) patience() time.Duration {
	if o.FastStop {
		return 0
	}
	return resignTimeout
}

// loadVRRP reads the keepalived configuration. It never fails: what cannot be
// run is reported and left out.
func loadVRRP(o Options, diags *config.Diagnostics) *vrrpsettings.Config {
	return readVRRP(o, lookupHost, diags)
}

// readVRRP reads it with a way to find the addresses of names.
func readVRRP(o Options, lookupHost func(string) []netip.Addr, diags *config.Diagnostics) *vrrpsettings.Config {
	host := hostName()
	short, _, _ := strings.Cut(host, ".")
	id := o.ConfigID
	if id == "" {
		id = short
	}
	statements := block.Parse(disk.Files{}, block.Options{
		Path:     o.Keepalived,
		ConfigID: id,
		Instance: short,
		Env:      os.LookupEnv,
		Rand:     func(lo, hi int) int { return lo + rand.IntN(max(hi-lo+1, 1)) },
	}, diags)
	return vrrpdirective.Build(statements, vrrpdirective.Options{
		HostName:      host,
		ForeignProxy:  len(o.HAProxy) == 0,
		LookupUser:    func(name string) bool { _, err := user.Lookup(name); return err == nil },
		LookupGroup:   func(name string) bool { _, err := user.LookupGroup(name); return err == nil },
		LookupRouting: lookupRouting,
		LookupHost:    lookupHost,
		InterfaceOf:   o.interfaceOf(),
		ReadSecret:    os.ReadFile,
	}, diags)
}

// loadProxy reads the HAProxy configuration. The result must not be run when
// diags holds an error.
func loadProxy(o Options, diags *config.Diagnostics) *proxysettings.Config {
	texts := line.Load(line.Files{ReadFile: os.ReadFile, Stat: os.Stat, ReadDir: os.ReadDir}, o.HAProxy, diags)
	sections, lookup := line.ParseAll(texts, line.Env{Lookup: os.LookupEnv}, diags)
	return proxydirective.Build(sections, proxydirective.Options{
		ReadFile:    os.ReadFile,
		LookupEnv:   lookup,
		ReadDir:     fileNames,
		Hostname:    hostName(),
		LookupUser:  func(name string) (int, error) { return number(user.Lookup(name)) },
		LookupGroup: groupNumber,
		LookupHost:  net.LookupHost,
	}, diags)
}

// fileNames lists what lies in a directory, but for directories, by name.
func fileNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// number turns a found account into its number.
func number(u *user.User, err error) (int, error) {
	if err != nil {
		return -1, err
	}
	return strconv.Atoi(u.Uid)
}

func groupNumber(name string) (int, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return -1, err
	}
	return strconv.Atoi(g.Gid)
}

// hostName returns the machine's name, or "localhost" when it has none.
func hostName() string {
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "localhost"
}

// localAddresses lists the addresses of this machine, nil when they cannot be
// read.
func localAddresses() []netip.Addr {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	addrs := []netip.Addr{}
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(n.IP); ok {
				addrs = append(addrs, addr.Unmap())
			}
		}
	}
	return addrs
}

// report sends the findings of a role's configuration to the parent, in file
// order.
func report(role *ipc.Role, diags *config.Diagnostics) {
	diags.Sort()
	findings := make([]ipc.Finding, 0, len(diags.List()))
	for _, d := range diags.List() {
		findings = append(findings, ipc.Finding{Severity: d.Severity.String(), Text: d.String()})
	}
	role.Diagnostics(findings)
}

// sentence joins the notes there are.
func sentence(notes ...string) string {
	return strings.Join(slices.DeleteFunc(notes, func(n string) bool { return n == "" }), "; ")
}
