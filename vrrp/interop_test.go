package vrrp_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"herald/config"
	"herald/config/block"
	"herald/stats"
	"herald/vrrp/directive"
	"herald/vrrp/settings"
)

// text is a configuration as block.Parse reads files.
type text string

func (t text) Read(string) ([]byte, error) { return []byte(t), nil }
func (text) Glob(string) ([]string, error) { return nil, nil }

// load reads a configuration that has nothing to complain about.
func load(t *testing.T, file string) *settings.Config {
	t.Helper()
	var diags config.Diagnostics
	cfg := directive.Build(block.Parse(text(file), block.Options{Path: "keepalived.conf"}, &diags), directive.Options{HostName: "test"}, &diags)
	for _, d := range diags.List() {
		t.Error(d)
	}
	if len(cfg.Instances) == 0 {
		t.Fatalf("no instance in\n%s", file)
	}
	return cfg
}

// startKeepalivedWith starts the packaged keepalived with one file.
func startKeepalivedWith(t *testing.T, ns, file string) (logFile string, stop func()) {
	t.Helper()
	bin, err := exec.LookPath("keepalived")
	if err != nil {
		t.Skip("needs keepalived for the interoperation test")
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "keepalived.conf")
	logFile = filepath.Join(dir, "log")
	if err := os.WriteFile(conf, []byte(file), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(logFile)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("ip", "netns", "exec", ns, bin, "-n", "-l", "-D", "-P", "-f", conf,
		"-p", filepath.Join(dir, "pid"), "-r", filepath.Join(dir, "vrrp.pid"))
	c.Stdout, c.Stderr = out, out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	stop = func() {
		once.Do(func() {
			c.Process.Signal(os.Interrupt)
			c.Wait()
			out.Close()
		})
	}
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			b, _ := os.ReadFile(logFile)
			t.Logf("keepalived:\n%s", b)
		}
	})
	return logFile, stop
}

// TestOneFileOnBothSides runs the same file, but for priorities and source
// addresses, with herald on one node and the packaged keepalived on the other:
// each follows the other, and neither complains.
func TestOneFileOnBothSides(t *testing.T) {
	const ten, six = "10.1.1.10", "2001:db8::10"
	for _, c := range []struct {
		name, lines, address string
		global               string
	}{
		{"version 3", "version 3\nadvert_int 0.5", ten, ""},
		{"version 3 at 10 ms", "version 3\nadvert_int 0.01", ten, ""},
		{"version 2 unicast", "unicast_src_ip OWN\nunicast_peer {\n10.1.1.20\n10.1.1.21\n}", ten, ""},
		{"version 3 unicast", "version 3\nadvert_int 0.3\nunicast_src_ip OWN\nunicast_ttl 64\ncheck_unicast_src\nunicast_peer {\nPEER min_ttl 60 max_ttl 64\n}", ten, ""},
		{"AH", "authentication {\nauth_type AH\nauth_pass secret12\n}", ten, ""},
		{"AH unicast", "unicast_src_ip OWN\nunicast_peer {\nPEER\n}\nauthentication {\nauth_type AH\nauth_pass secret\n}", ten, ""},
		{"another group", "advert_int 1", ten, "vrrp_mcast_group4 224.0.0.99"},
		{"IPv6", "advert_int 0.5", "fe80::10/64\n" + six, ""},
		{"IPv6 in version 2", "version 2", six, ""},
		{"IPv6 unicast", "advert_int 0.5\nunicast_src_ip OWN6\nunicast_peer {\nPEER6\n}", six, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newNetwork(t)
			for i, ns := range []string{p.a, p.b} {
				run(t, "ip", "-n", ns, "addr", "add", fmt.Sprintf("2001:db8::%d/64", 20+i), "dev", "eth0", "nodad")
			}
			file := func(own, peer string, priority int) string {
				lines := strings.NewReplacer("OWN6", "2001:db8::"+own, "PEER6", "2001:db8::"+peer, "OWN", "10.1.1."+own, "PEER", "10.1.1."+peer).Replace(c.lines)
				return fmt.Sprintf("global_defs {\n%s\n}\nvrrp_instance 1 {\nvirtual_router_id 1\npriority %d\ninterface eth0\n%s\nvirtual_ipaddress {\n%s\n}\n}\n",
					c.global, priority, lines, c.address)
			}
			has := func(ns string) bool {
				address := c.address[strings.LastIndex(c.address, "\n")+1:]
				return strings.Contains(run(t, "ip", "-n", ns, "addr", "show", "dev", "eth0"), " "+address+"/")
			}
			if strings.Contains(c.address, ":") { // keepalived cannot send before, and says so
				eventually(t, "link-local addresses that are ready", func() bool {
					return !strings.Contains(run(t, "ip", "-n", p.a, "addr")+run(t, "ip", "-n", p.b, "addr"), "tentative")
				})
			}
			log, stop := startKeepalivedWith(t, p.b, file("21", "20", 100))

			better := startNode(t, p.a, load(t, file("20", "21", 101)), nil)
			better.until(t, "MASTER with priority 101", state("MASTER"))
			eventually(t, "the address on our interface only", func() bool { return has(p.a) && !has(p.b) })
			if all := better.Status(); all[0].Counters.RejectedPkts != 0 {
				t.Errorf("keepalived's advertisements were refused: %+v", all[0].Counters)
			}
			better.stop(t)
			eventually(t, "keepalived MASTER after our resignation", func() bool { return has(p.b) && !has(p.a) })

			lesser := startNode(t, p.a, load(t, file("20", "21", 99)), nil)
			lesser.until(t, "BACKUP of keepalived", func(i stats.Instance) bool { return i.State == "BACKUP" && i.MasterPriority == 100 })
			if all := lesser.Status(); all[0].Counters.RejectedPkts != 0 || all[0].Counters.AddressListErrors != 0 {
				t.Errorf("keepalived's advertisements were refused: %+v", all[0].Counters)
			}
			stop()
			lesser.until(t, "MASTER after keepalived resigned", state("MASTER"))
			eventually(t, "the address here again", func() bool { return has(p.a) && !has(p.b) })
			lesser.stop(t)
			said, _ := os.ReadFile(log)
			noComplaint(t, said)
		})
	}
}

// The words by which keepalived says that it did not like a packet; of its own
// system calls it says "invalid argument".
var (
	complaints   = regexp.MustCompile(`\b(mismatch|checksum|unexpected|not present|invalid|already|bad)\b`)
	noComplaints = regexp.MustCompile(`invalid argument|[0-9a-f]*:[0-9a-f:]+`) // an address may have "bad" in it
)

// noComplaint fails when keepalived did not like what it heard.
func noComplaint(t *testing.T, said []byte) {
	t.Helper()
	if word := complaints.Find(noComplaints.ReplaceAll(bytes.ToLower(said), nil)); word != nil {
		t.Errorf("keepalived complains (%q):\n%s", word, said)
	}
}
