package directive

import (
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
}

// Build makes the configuration of a parsed keepalived.conf. It never fails:
// what is unknown or not supported yet is a warning, an instance that cannot
// run is an error that names it and the instance is left out of the result.
func Build(statements []block.Statement, o Options, diags *config.Diagnostics) *settings.Config {
	return &settings.Config{}
}

// Reference returns the keyword reference in Markdown, generated from the
// registries.
func Reference() string { return "" }
