package directive

import (
	"fmt"
	"net/netip"

	"herald/config"
	"herald/config/block"
	"herald/vrrp/settings"
)

// Options are the facts about this host that a configuration needs.
type Options struct {
	// HostName is the router_id when the file gives none.
	HostName string
	// LookupUser reports whether the account exists; nil believes every name.
	LookupUser func(name string) bool
	// LookupGroup reports whether the group exists; nil believes every name.
	LookupGroup func(name string) bool
	// ForeignProxy says that herald runs no proxy itself: a command that asks
	// for one means another program's and is executed.
	ForeignProxy bool
	// LookupRouting finds a name in iproute's files: "table", "protocol",
	// "scope", "dsfield", "realms" or "group"; nil knows none.
	LookupRouting func(kind, name string) (int, bool)
	// LookupHost returns the addresses of a host name, none when it has none;
	// nil knows no name.
	LookupHost func(name string) []netip.Addr
	// InterfaceOf names the interface that has an address, "" when none has;
	// nil does not know, and an instance that needs it has no interface.
	InterfaceOf func(netip.Addr) string
	// ReadSecret reads the file of a key; nil can read none.
	ReadSecret func(path string) ([]byte, error)
}

// Build makes the configuration of a parsed keepalived.conf. It never fails:
// what is unknown or not supported yet is a warning, an instance that cannot
// run is an error that names it and the instance is left out of the result.
// Findings come in the order they are found: Sort them before showing them.
func Build(statements []block.Statement, o Options, diags *config.Diagnostics) *settings.Config {
	b := &build{o: o, diags: diags, elsewhere: elsewhere(), scripts: map[string]bool{}, vmacs: map[string]string{}}
	// Globals first and instances last: a value may stand after its use.
	for pass := range passes {
		var now []block.Statement
		for _, st := range statements {
			if passOf(st.Keyword()) == pass {
				now = append(now, st)
			}
		}
		apply(b, "the top level", topWords, b, now)
	}
	return b.finish()
}

// passes is how often the top level is walked.
const passes = 4

// passOf groups the top level keywords by when they are read.
func passOf(word string) int {
	switch word {
	case "global_defs":
		return 0
	case "vrrp_script", "track_file", "vrrp_track_file", "vrrp_track_process":
		return 1
	case "vrrp_sync_group":
		return 2
	}
	return 3
}

// A build is the state of one Build.
type build struct {
	o         Options
	diags     *config.Diagnostics
	elsewhere map[string]string // a word -> the block it belongs in
	global    globals
	config    settings.Config
	scripts   map[string]bool // defined and usable
	groups    []syncGroup
	drafts    []*draft
	vmacs     map[string]string // instances by their virtual MAC interfaces
	// plainRules counts the routing rules without a preference.
	plainRules int
	// linkDelayPos are where config.LinkDelays stood.
	linkDelayPos []config.Pos
}

// unknown reports a word nobody knows, or one that belongs in another block.
func (b *build) unknown(where string, st block.Statement, known []string) {
	word := st.Keyword()
	if home, ok := b.elsewhere[word]; ok {
		b.diags.Add(config.Diagnostic{Pos: st.Pos, Severity: config.Warning, Kind: config.Unknown, Word: word,
			Message: fmt.Sprintf("unknown keyword %q in %s", word, where), Fix: "it belongs " + home})
		return
	}
	b.diags.Unknown(st.Pos, config.Warning, "keyword", word, known)
}

// user checks an account and a group named in the file, either may be empty.
func (b *build) user(st block.Statement, user, group string) bool {
	ok := true
	if user != "" && b.o.LookupUser != nil && !b.o.LookupUser(user) {
		b.diags.Errorf(st.Pos, user, "%s: user %q does not exist", st.Keyword(), user)
		ok = false
	}
	if group != "" && b.o.LookupGroup != nil && !b.o.LookupGroup(group) {
		b.diags.Errorf(st.Pos, group, "%s: group %q does not exist", st.Keyword(), group)
		ok = false
	}
	return ok
}

// finish completes the instances that can run.
func (b *build) finish() *settings.Config {
	b.config.RouterID = b.global.routerID
	if b.config.RouterID == "" {
		b.config.RouterID = b.o.HostName
	}
	b.config.ScriptUser, b.config.ScriptGroup = b.global.scriptUser, b.global.scriptGroup
	b.config.ScriptSecurity = b.global.scriptSecurity
	b.config.StartupDelay = b.global.startupDelay
	b.config.Notification = b.notification()
	quiet := map[string]bool{} // instances with advertise_second_family off
	for _, d := range b.drafts {
		b.complete(d)
		b.unique(d)
		if !d.broken {
			b.config.Instances = append(b.config.Instances, d.Instance)
			quiet[d.Name] = d.way.noSecond
		}
	}
	for i := range b.config.Instances {
		b.secondFamily(&b.config.Instances[i], quiet[b.config.Instances[i].Name])
	}
	b.joinGroups()
	b.sharedAddresses()
	b.boundLinkDelays()
	return &b.config
}
