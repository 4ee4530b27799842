package block

import "herald/config"

// Source gives the texts of configuration files. Files in package disk is the
// one for real files; tests use a map.
type Source interface {
	// Read returns the bytes of one file.
	Read(path string) ([]byte, error)
	// Glob returns the existing files that match a shell pattern with * ? and
	// [ ], sorted; none is not an error. Braces are expanded before.
	Glob(pattern string) ([]string, error)
}

// Options are the facts about this host and process that a configuration may
// refer to.
type Options struct {
	// Path is the file to begin with, /etc/keepalived/keepalived.conf when
	// empty.
	Path string
	// ConfigID decides @id and @^id lines; keepalived takes the short host
	// name unless -i gives one.
	ConfigID string
	// Instance is the value of ${_INSTANCE} (keyword or option "instance").
	Instance string
	// Env looks up ${_ENV NAME}; nil knows none.
	Env func(name string) (value string, ok bool)
	// Rand gives a number from lo to hi, both included, for
	// ${_RANDOM lo hi}; nil gives lo.
	Rand func(lo, hi int) int
}

// Parse reads the file at o.Path with all it includes and returns its
// statements. It reports every finding in diags and always returns what could
// be read: a missing closing brace, an unreadable include or an undefined
// macro does not stop it. Only a first file that cannot be read is an error.
func Parse(src Source, o Options, diags *config.Diagnostics) []Statement {
	return nil
}
