package personality

import (
	"strings"
	"testing"
)

func TestCommandLinesInUse(t *testing.T) {
	plain := Line{File: "/etc/keepalived/keepalived.conf", Facility: "daemon", Umask: -1}
	with := func(change func(*Line)) Line {
		l := plain
		change(&l)
		return l
	}
	for line, want := range map[string]Line{
		"":                            plain,
		"-nld -p /run/keepalived.pid": with(func(l *Line) { l.DontFork, l.Console, l.Dump, l.Pid = true, true, true, "/run/keepalived.pid" }),
		"--dont-fork":                 with(func(l *Line) { l.DontFork = true }),
		"--dont-fork --snmp -g /x":    {}, // -g takes its file in the same word
		"-n -l -D -P -f /k.conf":      with(func(l *Line) { l.DontFork, l.Console, l.OnlyVRRP, l.File = true, true, true, "/k.conf" }),
		"-C":                          with(func(l *Line) { l.OnlyChecks = true }),
		"-PC":                         with(func(l *Line) { l.OnlyVRRP = true }),
		"--use-file=/a --use-file /b": with(func(l *Line) { l.File = "/b" }),
		"-P -f /a -p /p -r /r -c /c -D": with(func(l *Line) {
			l.OnlyVRRP, l.File, l.Pid, l.VRRPPid = true, "/a", "/p", "/r"
		}),
		"-f/a -S7 -i id -s ns": with(func(l *Line) { l.File, l.Facility, l.ConfigID, l.Namespace = "/a", "7", "id", "ns" }),
		"-t":                   with(func(l *Line) { l.Test = true }),
		"-t/tmp/log":           with(func(l *Line) { l.Test, l.TestLog = true, "/tmp/log" }),
		"--config-test=/tmp/l": with(func(l *Line) { l.Test, l.TestLog = true, "/tmp/l" }),
		"--config-t":           with(func(l *Line) { l.Test = true }),
		"--signum=JSON":        with(func(l *Line) { l.Signum = "JSON" }),
		"-m -M -XVIaxB":        plain,
		"-dR -u 022 -g":        with(func(l *Line) { l.Dump, l.NoRespawn, l.Umask, l.LogFile = true, true, 0o22, "/tmp/keepalived.log" }),
		"-u 18 -g/log":         with(func(l *Line) { l.Umask, l.LogFile = 18, "/log" }),
		"-u nonsense":          plain,
		"-M/tmp/core -b /b":    plain,
	} {
		got, err := Parse(strings.Fields(line))
		if want == (Line{}) {
			if err == nil {
				t.Errorf("%q: want it refused, got %+v", line, got)
			}
			continue
		}
		if err != nil || got != want {
			t.Errorf("%q: got %+v, %v, want %+v", line, got, err, want)
		}
	}
}

func TestNonsenseIsNamed(t *testing.T) {
	for line, want := range map[string]string{
		"-Z": "-Z", "--zzz": "--zzz", "-f": "-f needs", "--use-file": "--use-file needs", "word": "\"word\"",
		"--dont-fork=1": "takes no argument", "--log": "may be", "-": "\"-\"",
	} {
		if _, err := Parse(strings.Fields(line)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: want an error with %q, got %v", line, want, err)
		}
	}
}

func TestPidFilesAreWhereKeepalivedHasThem(t *testing.T) {
	for want, c := range map[string]struct {
		l Line
		p Place
	}{
		"/run/keepalived.pid /run/vrrp.pid": {},
		"/p /r":                             {l: Line{Pid: "/p", VRRPPid: "/r"}, p: Place{Instance: "x"}},
		"/run/keepalived/keepalived.pid /run/keepalived/vrrp.pid":               {p: Place{UsePidDir: true}},
		"/run/keepalived/keepalived_foo.pid /run/keepalived/vrrp_foo.pid":       {p: Place{Instance: "foo"}},
		"/run/keepalived/ns/keepalived.pid /run/keepalived/ns/vrrp.pid":         {p: Place{NetNamespace: "ns"}},
		"/run/keepalived/ns/keepalived_foo.pid /run/keepalived/ns/vrrp_foo.pid": {p: Place{NetNamespace: "ns", Instance: "foo"}},
	} {
		parent, vrrp := c.l.PidFiles(c.p)
		if got := parent + " " + vrrp; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestTheUsageNamesEveryOption(t *testing.T) {
	for _, o := range options {
		if !strings.Contains(Usage(), "--"+o.long) {
			t.Errorf("--%s is missing", o.long)
		}
	}
}
