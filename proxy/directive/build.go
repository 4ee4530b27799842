// Package directive holds every keyword of haproxy.cfg: its documentation,
// its reader, and the checks between sections. Build turns the sections of
// config/line into proxy/settings values.
//
// It opens no file, resolves no name and listens on nothing: what it needs
// from the system comes as functions in Options. A keyword HAProxy knows and
// this program does not act on is reported as exactly that: as an error where
// leaving it out would send traffic elsewhere or let someone pass, as a
// warning where it only tunes.
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
// The zero value is usable: no file exists, no user or name is known.
type Options struct {
	// ReadFile reads an error file; nil means every file is missing.
	ReadFile func(name string) ([]byte, error)
	// ReadDir lists the names of the files in a directory, in order; nil
	// means that there are no directories.
	ReadDir func(name string) ([]string, error)
	// Hostname is this machine's name, for log-send-hostname and as the
	// default of "node".
	Hostname string
	// LookupEnv answers a variable of the environment, for the fetch env; nil
	// means that there is none.
	LookupEnv func(name string) (value string, ok bool)
	// LookupUser and LookupGroup turn a name into a number; nil means that
	// no name is known.
	LookupUser  func(name string) (uid int, err error)
	LookupGroup func(name string) (gid int, err error)
	// LookupHost turns the host name of a bind line into IP addresses, of
	// which the first is used; nil means that no name is known.
	LookupHost func(name string) (addresses []string, err error)
}

// Build reads all sections into one configuration. It always returns a
// Config, which must not be run when diags holds an error. The findings are
// added in the order they are made; Sort brings them into file order.
func Build(sections []line.Section, opt Options, diags *config.Diagnostics) *settings.Config {
	b := &builder{opt: opt, diags: diags, cfg: newConfig(), files: map[string]settings.ErrorFile{}, errorGroups: map[string]errorGroup{}, made: map[string]any{}}
	b.anonymous = newDraft()
	for _, s := range sections {
		if s.Kind == "http-errors" { // proxies in front may name it
			b.httpErrors(s)
		}
	}
	for _, s := range sections {
		b.section(s)
	}
	b.finish()
	return b.cfg
}

func newConfig() *settings.Config {
	return &settings.Config{Global: settings.Global{
		UID: -1, GID: -1, LogTag: "haproxy", StatsTimeout: defaultStatsTimeout, BufSize: 16384, MaxRewrite: 1024,
	}}
}

// builder owns everything while Build runs.
type builder struct {
	opt   Options
	diags *config.Diagnostics
	cfg   *settings.Config

	defaults    []*draft // named ones, in file order
	anonymous   *draft   // the last defaults section seen
	proxies     []*draft
	files       map[string]settings.ErrorFile // error files already read
	errorGroups map[string]errorGroup         // http-errors sections by name
	made        map[string]any                // what patterns and maps were made of them
	tls         tlsDefaults                   // of global
	unix        unixDefaults                  // of global
}

// section reads one section; those that only matter to unbuilt features are
// reported once, at their header.
func (b *builder) section(s line.Section) {
	switch s.Kind {
	case "global":
		for _, w := range s.Header[1:] {
			b.diags.Errorf(w.Pos, w.Text, "\"global\" cannot handle unexpected argument %q", w.Text)
		}
		for _, l := range s.Lines {
			b.statement(l, nil)
		}
	case "defaults", "frontend", "backend", "listen":
		d := b.open(s)
		for _, l := range s.Lines {
			b.statement(l, d)
		}
		b.close(d)
	case "http-errors": // read before
	case "resolvers":
		b.resolvers(s)
	default:
		sev, ok := unbuiltSections[s.Kind]
		if !ok {
			sev = config.Warning
		}
		b.diags.Unsupported(s.Pos, sev, "section", s.Kind, "HAProxy", instead["section "+s.Kind])
	}
}
