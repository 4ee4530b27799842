package assemble

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"

	"herald/cmd/herald/internal/personality"
	"herald/config"
	"herald/vrrp/settings"
)

// Exit codes of Test, those of keepalived's -t. The highest that applies wins,
// as it does there.
const (
	testFine     = 0
	testFindings = 5
	testInsecure = 6 // scripts without enable_script_security
)

// Test is keepalived's -t: it prints what it finds and returns the exit code.
// What keepalived knows and herald does not is told and no reason to fail.
func Test(o Options, findings io.Writer) int {
	if _, err := os.Stat(o.Keepalived); err != nil {
		// 2.2.7 says so and nothing else: its exit code is that of no finding.
		fmt.Fprintf(findings, "Config files missing '%s'.\n", o.Keepalived)
		return testFine
	}
	var diags config.Diagnostics
	cfg := loadVRRP(o, &diags)
	diags.Sort()
	code := 0
	for _, d := range diags.List() {
		fmt.Fprintln(findings, d)
		if d.Severity != config.Notice && d.Kind != config.Unsupported && d.Kind != config.Cross {
			code = testFindings
		}
	}
	if runsScripts(cfg) && !cfg.ScriptSecurity {
		fmt.Fprintln(findings, "scripts are executed but enable_script_security is not set")
		code = testInsecure
	}
	return code
}

// runsScripts reports whether anything of the file is executed.
func runsScripts(cfg *settings.Config) bool {
	notifies := func(n settings.Notify) bool {
		for _, c := range []settings.Command{n.Master, n.Backup, n.Fault, n.Stop, n.Deleted, n.LowerPriority, n.All} {
			if len(c.Argv) > 0 {
				return true
			}
		}
		return false
	}
	return len(cfg.Scripts) > 0 ||
		slices.ContainsFunc(cfg.Instances, func(i settings.Instance) bool { return notifies(i.Notify) }) ||
		slices.ContainsFunc(cfg.Groups, func(g settings.Group) bool { return notifies(g.Notify) })
}

// Place is where the configuration wants a daemon that is called keepalived,
// and the VRRP role of any other.
func Place(o Options) personality.Place {
	nobody := func(string) []netip.Addr { return nil } // no name says where
	p := readVRRP(o, nobody, &config.Diagnostics{}).Process
	return personality.Place{NetNamespace: p.NetNamespace, Instance: p.Instance, UsePidDir: p.UsePidDir}
}
