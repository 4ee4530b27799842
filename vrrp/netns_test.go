package vrrp_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netns"

	"herald/garp/arp"
	"herald/garp/ndp"
	"herald/stats"
	"herald/vrrp"
	"herald/vrrp/firewall"
	"herald/vrrp/kernel"
	"herald/vrrp/poll"
	"herald/vrrp/rawip"
	"herald/vrrp/settings"
)

// network is three network namespaces on one bridge: node a has
// 10.1.1.20/24, node b 10.1.1.21/24 and the client 10.1.1.1/24.
type network struct{ a, b, client string }

// networks counts them, for their names.
var networks atomic.Int32

func newNetwork(t *testing.T) network {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for network namespaces")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs ip(8)")
	}
	t.Parallel() // they mostly wait
	id := networks.Add(1)
	name := func(node string) string { return fmt.Sprintf("hvrrp%d-%d%s", os.Getpid(), id, node) }
	p := network{name("a"), name("b"), name("c")}
	for _, ns := range []string{p.client, p.a, p.b} {
		if out, err := exec.Command("ip", "netns", "add", ns).CombinedOutput(); err != nil {
			t.Skipf("needs network namespaces: %v: %s", err, out)
		}
		t.Cleanup(func() { exec.Command("ip", "netns", "del", ns).Run() })
	}
	run(t, "ip", "-n", p.client, "link", "add", "br0", "type", "bridge")
	run(t, "ip", "-n", p.client, "addr", "add", "10.1.1.1/24", "dev", "br0")
	run(t, "ip", "-n", p.client, "link", "set", "br0", "up")
	for i, ns := range []string{p.a, p.b} {
		port := fmt.Sprintf("port%d", i)
		run(t, "ip", "-n", ns, "link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", p.client)
		run(t, "ip", "-n", p.client, "link", "set", port, "master", "br0", "up")
		run(t, "ip", "-n", ns, "link", "set", "lo", "up")
		run(t, "ip", "-n", ns, "addr", "add", fmt.Sprintf("10.1.1.%d/24", 20+i), "dev", "eth0")
		run(t, "ip", "-n", ns, "link", "set", "eth0", "up")
	}
	return p
}

func run(t *testing.T, argv ...string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
	return string(out)
}

// in runs body on a thread of the namespace, which is thrown away afterwards.
func in(ns string, body func()) error {
	failed := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		h, err := netns.GetFromName(ns)
		if err == nil {
			err = netns.Set(h)
			h.Close()
		}
		if err == nil {
			body()
		}
		failed <- err
	}()
	return <-failed
}

// node is a running Server with everything real.
type node struct {
	*vrrp.Server
	states chan []stats.Instance
	log    *os.File
	ended  chan error
	once   sync.Once
}

func startNode(t *testing.T, ns string, cfg *settings.Config, blob []byte) *node {
	t.Helper()
	n := &node{states: make(chan []stats.Instance, 1024), ended: make(chan error, 1)}
	n.log, _ = os.Create(filepath.Join(t.TempDir(), "log"))
	ready := make(chan error, 1)
	go func() {
		if err := in(ns, func() {
			k, err := kernel.Open()
			if err != nil {
				ready <- err
				return
			}
			defer k.Close()
			announcer := neighbours{arp.NewSender(), ndp.NewSender()}
			defer announcer.arp.Close()
			defer announcer.ndp.Close()
			var filter vrrp.Firewall
			if f, err := firewall.Open(); err == nil {
				defer f.Close()
				filter = f
			}
			poller, err := poll.Open()
			if err != nil {
				ready <- err
				return
			}
			defer poller.Close()
			n.Server, err = vrrp.New(cfg, vrrp.Ports{
				Open: func(p vrrp.Place, wake func()) (vrrp.Link, error) {
					return rawip.Open(rawip.Place(p), poller, wake)
				},
				Alarm:  poller,
				Kernel: k, Announcer: announcer, Virtual: inside{k, ns}, Sysctls: inside{k, ns}, Firewall: filter,
				Log:      slog.New(slog.NewTextHandler(io.MultiWriter(n.log, testWriter{t}), nil)),
				OnChange: func(all []stats.Instance) { n.states <- all },
			})
			if err == nil && blob != nil {
				err = n.Resume(blob)
			}
			ready <- err
			if err == nil {
				n.ended <- n.Run(context.Background())
			}
		}); err != nil {
			ready <- err
		}
	}()
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.stop(t) })
	return n
}

// neighbours announces an address in the way of its family.
type neighbours struct {
	arp *arp.Sender
	ndp *ndp.Sender
}

func (n neighbours) Announce(device string, index int, hardware [6]byte, addr netip.Addr) error {
	if addr.Is6() {
		return n.ndp.Announce(device, index, hardware, addr)
	}
	return n.arp.Announce(device, index, hardware, addr)
}

func (n neighbours) AnnounceReply(device string, index int, hardware [6]byte, addr netip.Addr) error {
	return n.arp.AnnounceReply(device, index, hardware, addr)
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// until waits for the first instance to satisfy ok.
func (n *node) until(t *testing.T, what string, ok func(stats.Instance) bool) stats.Instance {
	t.Helper()
	deadline := time.After(15 * time.Second)
	for {
		select {
		case all := <-n.states:
			if ok(all[0]) {
				return all[0]
			}
		case <-deadline:
			t.Fatalf("%s did not happen: %+v", what, n.Status())
		}
	}
}

func state(want string) func(stats.Instance) bool {
	return func(i stats.Instance) bool { return i.State == want }
}

func (n *node) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := n.Stop(ctx); err != nil {
		t.Error(err)
	}
	n.once.Do(func() {
		if err := <-n.ended; err != nil {
			t.Error(err)
		}
	})
}

func oneInstance(priority uint8, auth settings.Auth) *settings.Config {
	return &settings.Config{Instances: []settings.Instance{{
		Name: "1", Interface: "eth0", VRID: 1, Version: 2, Priority: priority, AdvertInt: time.Second, Auth: auth,
		Addresses: []settings.Address{{Prefix: netip.MustParsePrefix("10.1.1.10/32"), Device: "eth0"}},
		Garp:      settings.Garp{Repeat: 5, Delay: 5 * time.Second, RefreshRepeat: 1, LowerPrioRepeat: 5, LowerPrioDelay: 5 * time.Second},
	}}}
}

func startKeepalived(t *testing.T, ns, auth string, priority int) (logFile string) {
	t.Helper()
	bin, err := exec.LookPath("keepalived")
	if err != nil {
		t.Skip("needs keepalived for the interoperation test")
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "keepalived.conf")
	logFile = filepath.Join(dir, "log")
	text := fmt.Sprintf("vrrp_instance 1 {\n virtual_router_id 1\n advert_int 1\n priority %d\n interface eth0\n%s virtual_ipaddress {\n 10.1.1.10 dev eth0\n }\n}\n", priority, auth)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
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
	t.Cleanup(func() {
		c.Process.Signal(os.Interrupt)
		c.Wait()
		out.Close()
		if t.Failed() {
			b, _ := os.ReadFile(logFile)
			t.Logf("keepalived:\n%s", b)
		}
	})
	return logFile
}

func holds(t *testing.T, ns string) bool {
	t.Helper()
	// herald's has a lifetime, keepalived's has none.
	text := strings.ReplaceAll(run(t, "ip", "-n", ns, "-4", "addr", "show", "dev", "eth0"), " dynamic ", " ")
	return strings.Contains(text, "inet 10.1.1.10/32 scope global eth0")
}

func TestInteroperatesWithKeepalivedBothWays(t *testing.T) {
	for _, c := range []struct {
		name, auth string
		ours       settings.Auth
	}{
		{"without authentication", "", settings.Auth{}},
		{"with a password", " authentication {\n auth_type PASS\n auth_pass secret12\n }\n", settings.Auth{Type: settings.AuthPass, Pass: "secret12"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newNetwork(t)
			log := startKeepalived(t, p.b, c.auth, 100)

			// The better priority wins, and keepalived takes our advertisements.
			better := startNode(t, p.a, oneInstance(101, c.ours), nil)
			better.until(t, "MASTER with priority 101", state("MASTER"))
			eventually(t, "the address on our interface", func() bool { return holds(t, p.a) })
			stopped := time.Now()
			better.stop(t)
			t.Logf("stopped in %v", time.Since(stopped))
			if holds(t, p.a) {
				t.Error("the address is still there after Stop")
			}
			eventually(t, "keepalived MASTER after our resignation", func() bool { return holds(t, p.b) })

			// keepalived is master: a lesser priority follows it.
			lesser := startNode(t, p.a, oneInstance(99, c.ours), nil)
			got := lesser.until(t, "BACKUP of keepalived", func(i stats.Instance) bool { return i.Master == "10.1.1.21" })
			if got.State != "BACKUP" || got.MasterPriority != 100 {
				t.Errorf("got %s behind priority %d, want BACKUP behind 100", got.State, got.MasterPriority)
			}
			if all := lesser.Status(); all[0].Counters.RejectedPkts != 0 || all[0].Counters.AddressListErrors != 0 {
				t.Errorf("keepalived's advertisements were refused: %+v", all[0].Counters)
			}
			lesser.stop(t)
			text, _ := os.ReadFile(log)
			noComplaint(t, text)
		})
	}
}

// TestKeepalivedTakesOverSoonAfterOurPrioritySank: 102 while the proxy serves,
// 100 when it does not, and keepalived has 101.
func TestKeepalivedTakesOverSoonAfterOurPrioritySank(t *testing.T) {
	p := newNetwork(t)
	startKeepalived(t, p.b, "", 101)
	n := startNode(t, p.a, withProxyCheck(oneInstance(100, settings.Auth{})), nil)
	n.SetProxyServing(true, "")
	n.until(t, "MASTER with 102", func(i stats.Instance) bool { return i.State == "MASTER" && i.Priority == 102 })
	eventually(t, "the address here", func() bool { return holds(t, p.a) })
	died := time.Now()
	n.SetProxyServing(false, "test")
	n.until(t, "BACKUP of keepalived", state("BACKUP"))
	took := time.Since(died)
	t.Logf("keepalived took over %v after the priority sank", took.Round(time.Millisecond))
	if took > 1500*time.Millisecond {
		t.Errorf("it took %v, want about its skew time of 0.6 s", took)
	}
}

func withProxyCheck(cfg *settings.Config) *settings.Config {
	cfg.Scripts = []settings.Script{{Name: "haproxy", InProcess: true, Weight: 2, Interval: 2 * time.Second}}
	cfg.Instances[0].Tracks = []settings.Track{{Source: "haproxy", Weight: 2}}
	return cfg
}

// probe asks the virtual address for an echo (RFC 792) every millisecond from
// the client until stopped.
func probe(t *testing.T, ns string) (stop func() (sent, lost int)) {
	t.Helper()
	var conn net.PacketConn
	var err error
	if nsErr := in(ns, func() { conn, err = net.ListenPacket("ip4:icmp", "0.0.0.0") }); nsErr != nil || err != nil {
		t.Fatal(nsErr, err)
	}
	quit, sentAll := make(chan struct{}), make(chan int)
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-tick.C:
				conn.WriteTo(echo(n), &net.IPAddr{IP: net.IPv4(10, 1, 1, 10)})
			case <-quit:
				sentAll <- n
				return
			}
		}
	}()
	answered := make(chan map[int]bool, 1)
	go func() {
		seen := map[int]bool{}
		buf := make([]byte, 100)
		for {
			n, _, err := conn.ReadFrom(buf)
			if err != nil {
				answered <- seen
				return
			}
			if n >= 8 && buf[0] == 0 { // echo reply
				seen[int(buf[6])<<8|int(buf[7])] = true
			}
		}
	}()
	return func() (sent, lost int) {
		close(quit)
		sent = <-sentAll
		conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		seen := <-answered
		conn.Close()
		return sent, sent - len(seen)
	}
}

// echo is an echo request with sequence number n.
func echo(n int) []byte {
	sum := ^(0x0800 + uint16(n))
	if uint32(0x0800)+uint32(uint16(n)) > 0xffff {
		sum--
	}
	return []byte{8, 0, byte(sum >> 8), byte(sum), 0, 0, byte(n >> 8), byte(n)}
}

func TestPlannedMovesLoseNoProbe(t *testing.T) {
	for _, c := range []struct {
		name string
		move func(*testing.T, *node)
	}{
		{"the master stops", func(t *testing.T, n *node) { n.stop(t) }},
		{"its priority sinks", func(t *testing.T, n *node) { n.SetProxyServing(false, "test") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newNetwork(t)
			first := startNode(t, p.a, withProxyCheck(oneInstance(100, settings.Auth{})), nil)
			first.SetProxyServing(true, "")
			second := startNode(t, p.b, oneInstance(101, settings.Auth{}), nil)
			first.until(t, "MASTER", state("MASTER"))
			eventually(t, "the address on the first node", func() bool { return holds(t, p.a) })
			stop := probe(t, p.client)
			began := time.Now()
			c.move(t, first)
			second.until(t, "successor is MASTER", state("MASTER"))
			moved := time.Since(began)
			eventually(t, "the address on the second node only", func() bool { return holds(t, p.b) && !holds(t, p.a) })
			sent, lost := stop()
			t.Logf("moved in %v, %d of %d probes lost", moved.Round(time.Millisecond), lost, sent)
			if lost > 20 {
				t.Errorf("%d of %d probes lost, want none (20 on a busy machine)", lost, sent)
			}
		})
	}
}

// TestAReloadMovesNothing hands the instance from one Server to another.
func TestAReloadMovesNothing(t *testing.T) {
	p := newNetwork(t)
	old := startNode(t, p.a, oneInstance(100, settings.Auth{}), nil)
	other := startNode(t, p.b, oneInstance(50, settings.Auth{}), nil)
	old.until(t, "MASTER", state("MASTER"))
	eventually(t, "the address", func() bool { return holds(t, p.a) })
	// On a busy machine the other node may have begun as master: what counts
	// is what it sees from here on.
	eventually(t, "the other node to follow", func() bool {
		in := other.Status()[0]
		return in.State == "BACKUP" && in.MasterPriority == 100
	})
	before := len(other.Status()[0].History)
	stop := probe(t, p.client)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	blob, err := old.Handover(ctx)
	if err != nil {
		t.Fatal(err)
	}
	next := startNode(t, p.a, oneInstance(100, settings.Auth{}), blob)
	next.until(t, "MASTER again", state("MASTER"))
	sent, lost := stop()
	if lost != 0 {
		t.Errorf("%d of %d probes lost", lost, sent)
	}
	if got := other.Status()[0]; got.State != "BACKUP" || len(got.History) != before {
		t.Errorf("the other node noticed: %+v", got.History)
	}
}

// eventually polls what no event tells: another program's doing.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: did not happen in 10 s", what)
		}
	}
}
