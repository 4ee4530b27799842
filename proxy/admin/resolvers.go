package admin

import (
	"errors"
	"fmt"

	"herald/config"
	"herald/stats"
)

// Resolvers is one resolvers section.
type Resolvers struct {
	Name        string
	Nameservers []Nameserver
}

// Nameserver is what one nameserver said so far.
type Nameserver struct {
	Name   string
	Counts [len(nameserverCounts)]uint64 // in the order they are shown
}

// nameserverCounts are HAProxy's names (Management guide, "show resolvers").
var nameserverCounts = [...]string{"sent", "snd_error", "valid", "update", "cname", "cname_error", "any_err", "nx", "timeout", "refused",
	"other", "invalid", "too_big", "truncated", "outdated"}

// NoResolution is the answer where no name is resolved that could change.
var NoResolution = errors.New("set server <b>/<s> fqdn failed because no resolution is configured.")

var resolverRows = []config.Row[command]{
	{Name: "show resolvers", Syntax: "show resolvers [id]", Doc: "dumps counters from all resolvers section and associated name servers", Example: "show resolvers dns",
		Do: command{User, showResolvers}},
}

func showResolvers(x *session, args []string) {
	found := false
	for _, r := range x.server.proxy.Resolvers() {
		if len(args) > 0 && r.Name != args[0] {
			continue
		}
		found = true
		x.print("Resolvers section ", r.Name, "\n")
		for _, n := range r.Nameservers {
			x.print(" nameserver ", n.Name, ":\n")
			for i, name := range nameserverCounts {
				x.print(fmt.Sprintf("  %-12s %d\n", name+":", n.Counts[i]))
			}
		}
	}
	if !found && len(args) > 0 {
		x.err("Can't find that resolvers section")
	}
}

func setName(x *session, r *stats.Row, args []string) {
	if len(args) == 0 {
		x.err("set server <b>/<s> fqdn requires a FQDN.")
		return
	}
	if !validName(args[0]) {
		x.err(fmt.Sprintf("invalid FQDN '%s'", oneLine(args[0])))
		return
	}
	was, err := x.server.proxy.SetServerName(r.Proxy, r.Name, args[0])
	switch {
	case err != nil:
		x.report(err)
	case was == args[0]:
		x.warning("no need to change the FDQN by 'stats socket command'")
	default:
		x.warning(fmt.Sprintf("%s/%s changed its FQDN from %s to %s by 'stats socket command'", r.Proxy, r.Name, was, args[0]))
	}
}

// validName: letters, digits, hyphens, underscores and dots, labels of up to
// 63 bytes, 253 in all (RFC 1035 section 2.3.4).
func validName(name string) bool {
	label := 0
	for _, c := range []byte(name) {
		switch {
		case c == '.':
			if label == 0 {
				return false
			}
			label = 0
			continue
		case c == '-' || c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		default:
			return false
		}
		if label++; label > 63 {
			return false
		}
	}
	return name != "" && len(name) <= 253
}
