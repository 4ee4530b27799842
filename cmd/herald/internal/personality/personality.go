// Package personality reads keepalived's command line and says where its pid
// files are, for a herald that is started under the name keepalived.
//
// It starts nothing and reads no file. Options that ask for something herald
// always does, or has no use for, are taken and forgotten.
//
//	line, err := personality.Parse(os.Args[1:])
//	parent, vrrp := line.PidFiles(personality.Place{Instance: "red"})
package personality

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Line is a command line of keepalived 2.2.7.
type Line struct {
	File       string // -f
	DontFork   bool   // -n
	Console    bool   // -l: log to standard error
	NoSyslog   bool   // -G
	Facility   string // -S: "daemon", "user" or a number from 0 to 7 of local
	Pid        string // -p; empty means the default
	VRRPPid    string // -r; empty means the default
	Namespace  string // -s
	ConfigID   string // -i
	Test       bool   // -t
	TestLog    string // file the findings go to; empty means standard error
	Signum     string // --signum
	Version    bool   // -v
	Help       bool   // -h
	OnlyVRRP   bool   // -P
	OnlyChecks bool   // -C without -P
	Dump       bool   // -d: the configuration goes to the log
	NoRespawn  bool   // -R: the end of a process is the end of the daemon
	Umask      int    // -u; -1 when it is not given
	LogFile    string // -g: the log goes there too; empty for no file
}

// argument says whether an option has one.
type argument int

const (
	none argument = iota
	required
	optional // only in the same word: -tFILE, --config-test=FILE
)

// option is one row of the table of options.
type option struct {
	short byte // 0: there is none
	long  string
	arg   argument
	set   func(l *Line, value string) // nil: taken and forgotten
}

func text(field func(*Line) *string) func(*Line, string) {
	return func(l *Line, v string) { *field(l) = v }
}

func flag(field func(*Line) *bool) func(*Line, string) {
	return func(l *Line, _ string) { *field(l) = true }
}

// umask reads a number as C does: octal behind a 0. What is none is left out.
func umask(l *Line, v string) {
	if n, err := strconv.ParseInt(v, 0, 32); err == nil && n >= 0 && n <= 0o777 {
		l.Umask = int(n)
	}
}

var options = []option{
	{'f', "use-file", required, text(func(l *Line) *string { return &l.File })},
	{'n', "dont-fork", none, flag(func(l *Line) *bool { return &l.DontFork })},
	{'l', "log-console", none, flag(func(l *Line) *bool { return &l.Console })},
	{'G', "no-syslog", none, flag(func(l *Line) *bool { return &l.NoSyslog })},
	{'S', "log-facility", required, text(func(l *Line) *string { return &l.Facility })},
	{'p', "pid", required, text(func(l *Line) *string { return &l.Pid })},
	{'r', "vrrp_pid", required, text(func(l *Line) *string { return &l.VRRPPid })},
	{'s', "namespace", required, text(func(l *Line) *string { return &l.Namespace })},
	{'i', "config-id", required, text(func(l *Line) *string { return &l.ConfigID })},
	{0, "signum", required, text(func(l *Line) *string { return &l.Signum })},
	{'v', "version", none, flag(func(l *Line) *bool { return &l.Version })},
	{'h', "help", none, flag(func(l *Line) *bool { return &l.Help })},
	{'P', "vrrp", none, flag(func(l *Line) *bool { return &l.OnlyVRRP })},
	{'C', "check", none, flag(func(l *Line) *bool { return &l.OnlyChecks })},
	{'t', "config-test", optional, func(l *Line, v string) { l.Test, l.TestLog = true, v }},

	{'D', "log-detail", none, nil},
	{'d', "dump-conf", none, flag(func(l *Line) *bool { return &l.Dump })},
	{'B', "no_bfd", none, nil},
	{0, "all", none, nil},
	{'u', "umask", required, umask},
	{'X', "release-vips", none, nil},
	{'V', "dont-release-vrrp", none, nil},
	{'I', "dont-release-ipvs", none, nil},
	{'R', "dont-respawn", none, flag(func(l *Line) *bool { return &l.NoRespawn })},
	{'c', "checkers_pid", required, nil},
	{'b', "bfd_pid", required, nil},
	{'a', "address-monitoring", none, nil},
	{'x', "snmp", none, nil},
	{'A', "snmp-agent-socket", required, nil},
	{'m', "core-dump", none, nil},
	{'M', "core-dump-pattern", optional, nil},
	{'e', "all-config", none, nil},
	{'g', "log-file", optional, func(l *Line, v string) {
		if l.LogFile = v; v == "" {
			l.LogFile = "/tmp/keepalived.log"
		}
	}},
	{0, "flush-log-file", none, nil},
	{0, "debug", optional, nil},
	{0, "perf", optional, nil},
	{0, "no-mem-check", none, nil},
	{0, "ignore-sigint", none, nil},
}

// Parse reads the words after the program's name, as getopt_long(3) does:
// single letters may stand together, long names may be cut short.
func Parse(args []string) (Line, error) {
	l := Line{File: "/etc/keepalived/keepalived.conf", Facility: "daemon", Umask: -1}
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		var err error
		switch {
		case strings.HasPrefix(word, "--") && len(word) > 2:
			args, err = l.long(word[2:], args)
		case strings.HasPrefix(word, "-") && len(word) > 1:
			args, err = l.short(word[1:], args)
		default:
			err = fmt.Errorf("unexpected argument %q", word)
		}
		if err != nil {
			return l, err
		}
	}
	if l.OnlyVRRP {
		l.OnlyChecks = false
	}
	return l, nil
}

func (l *Line) long(word string, rest []string) ([]string, error) {
	name, value, given := strings.Cut(word, "=")
	i := slices.IndexFunc(options, func(o option) bool { return o.long == name })
	if i < 0 {
		for j, o := range options {
			if strings.HasPrefix(o.long, name) {
				if i >= 0 {
					return nil, fmt.Errorf("option --%s may be --%s or --%s", name, options[i].long, o.long)
				}
				i = j
			}
		}
	}
	switch {
	case i < 0:
		return nil, fmt.Errorf("unknown option --%s", name)
	case given && options[i].arg == none:
		return nil, fmt.Errorf("option --%s takes no argument", options[i].long)
	case !given && options[i].arg == required:
		if len(rest) == 0 {
			return nil, fmt.Errorf("option --%s needs an argument", options[i].long)
		}
		value, rest = rest[0], rest[1:]
	}
	l.take(options[i], value)
	return rest, nil
}

func (l *Line) short(letters string, rest []string) ([]string, error) {
	for len(letters) > 0 {
		i := slices.IndexFunc(options, func(o option) bool { return o.short != 0 && o.short == letters[0] })
		if i < 0 {
			return nil, fmt.Errorf("unknown option -%c", letters[0])
		}
		letters = letters[1:]
		value := ""
		if options[i].arg != none {
			value, letters = letters, ""
		}
		if options[i].arg == required && value == "" {
			if len(rest) == 0 {
				return nil, fmt.Errorf("option -%c needs an argument", options[i].short)
			}
			value, rest = rest[0], rest[1:]
		}
		l.take(options[i], value)
	}
	return rest, nil
}

func (l *Line) take(o option, value string) {
	if o.set != nil {
		o.set(l, value)
	}
}

// Place is what the configuration says about where the daemon is.
type Place struct {
	NetNamespace string
	Instance     string
	UsePidDir    bool
}

// PidFiles returns where the numbers of the parent and of the VRRP process
// are written.
func (l Line) PidFiles(p Place) (parent, vrrp string) {
	dir, suffix := "/run", ""
	if p.UsePidDir || p.Instance != "" || p.NetNamespace != "" {
		dir = path.Join("/run/keepalived", p.NetNamespace)
	}
	if p.Instance != "" {
		suffix = "_" + p.Instance
	}
	parent, vrrp = l.Pid, l.VRRPPid
	if parent == "" {
		parent = path.Join(dir, "keepalived"+suffix+".pid")
	}
	if vrrp == "" {
		vrrp = path.Join(dir, "vrrp"+suffix+".pid")
	}
	return parent, vrrp
}

// Signals are the numbers --signum tells, by name (Linux with glibc, where
// SIGRTMIN is 34).
var Signals = map[string]int{"STOP": 15, "RELOAD": 1, "DATA": 10, "STATS": 12, "STATS_CLEAR": 63, "JSON": 36}

// Usage is the text of --help.
func Usage() string {
	var b strings.Builder
	b.WriteString("Usage: keepalived [OPTION...]\n\nThis is herald under the name of keepalived; `herald help` tells more.\n\n")
	for _, o := range options {
		short := "    "
		if o.short != 0 {
			short = fmt.Sprintf("-%c, ", o.short)
		}
		note := ""
		if o.set == nil {
			note = "  (accepted, without effect)"
		}
		fmt.Fprintf(&b, "  %s--%s%s%s\n", short, o.long, [...]string{"", "=VALUE", "[=VALUE]"}[o.arg], note)
	}
	return b.String()
}
