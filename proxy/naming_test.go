package proxy

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"herald/proxy/settings"
)

// zone is a nameserver on loopback that answers what it is told.
type zone struct {
	mu      sync.Mutex
	records map[string][]string // by "name. TYPE", in zone file form
	addr    string
}

func newZone(t *testing.T) *zone {
	t.Helper()
	z := &zone{records: map[string][]string{}}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	z.addr = conn.LocalAddr().String()
	s := &dns.Server{PacketConn: conn, Handler: z}
	done := make(chan struct{})
	go func() { defer close(done); s.ActivateAndServe() }()
	t.Cleanup(func() { conn.Close(); <-done })
	return z
}

func (z *zone) set(name string, records ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.records[name] = records
}

func (z *zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	z.mu.Lock()
	defer z.mu.Unlock()
	m := new(dns.Msg)
	m.SetReply(q)
	list, known := z.records[q.Question[0].Name+" "+dns.TypeToString[q.Question[0].Qtype]]
	if !known {
		m.Rcode = dns.RcodeNameError
	}
	for _, text := range list {
		if rr, err := dns.NewRR(text); err == nil {
			m.Answer = append(m.Answer, rr)
		}
	}
	w.WriteMsg(m)
}

// named serves n servers of one name by the zone.
func named(t *testing.T, z *zone, host string, port, n int) *rig {
	t.Helper()
	p := section()
	for i := range n {
		p.Servers = append(p.Servers, settings.Server{Name: "s" + string(rune('1'+i)), ID: i + 1, Host: host, Port: port, Weight: 1, Rise: 2, Fall: 3, Inter: time.Second,
			InitAddr: "none", Resolve: settings.Resolve{Section: "dns", PreferIPv4: true}})
	}
	const soon = 20 * time.Millisecond
	return serveWith(t, func(c *settings.Config) {
		c.Resolvers = []*settings.Resolvers{{Name: "dns", Nameservers: []settings.Nameserver{{Name: "n1", Network: "udp", Address: z.addr}},
			Retries: 2, Resolve: soon, Retry: 200 * time.Millisecond, Payload: 512, Hold: settings.Hold{Valid: time.Second}}}
	}, p)
}

func TestServersFollowTheAddressesOfTheirName(t *testing.T) {
	z := newZone(t)
	z.set("app.test. A", "app.test. 1 A 127.0.0.2", "app.test. 1 A 127.0.0.3")
	r := named(t, z, "app.test", 8000, 3)
	r.log.wait(t, `web/s1 changed its IP from \(none\) to 127\.0\.0\.2 by dns/n1\.`)
	r.log.wait(t, `Server web/s1 \('app\.test'\) is UP/READY \(resolves again\)\.`)
	r.log.wait(t, `Server web/s1 administratively READY thanks to valid DNS answer\.`)
	r.log.wait(t, `web/s2 changed its IP from \(none\) to 127\.0\.0\.3 by DNS cache\.`)
	rows := r.Snapshot().Proxies[0].Rows[1:]
	if rows[2].Status != "MAINT (resolution)" || rows[2].Server.AdminState != 32 || rows[0].Addr != "127.0.0.2:8000" {
		t.Errorf("got %+v", rows)
	}
	z.set("app.test. A", "app.test. 1 A 127.0.0.9")
	r.log.wait(t, `web/s1 changed its IP from 127\.0\.0\.2 to 127\.0\.0\.9 by dns/n1\.`)
	r.log.wait(t, `Server web/s2 is going DOWN for maintenance \(No IP for server \)\. 1 active`)
	z.mu.Lock()
	delete(z.records, "app.test. A")
	z.mu.Unlock()
	r.log.wait(t, `Server web/s1 is going DOWN for maintenance \(DNS NX status\)\. 0 active`)
	z.set("other.test. A", "other.test. 1 A 127.0.0.7")
	if was, err := r.SetServerName("web", "s2", "other.test"); was != "app.test" || err != nil {
		t.Errorf("got %q %v", was, err)
	}
	r.log.wait(t, `web/s2 changed its IP from \(none\) to 127\.0\.0\.7 by dns/n1\.`)
	if n := r.Resolvers()[0].Nameservers[0].Counts; n[nsSent] == 0 || n[nsValid] == 0 || n[nsNX] == 0 || n[nsUpdate] < 2 {
		t.Errorf("counts %v", n)
	}
}

// HAProxy 2.6.12 leaves an address that was set at run time where it is until
// the addresses of the name change.
func TestAnOperatorsAddressStaysUntilTheAnswerChanges(t *testing.T) {
	z := newZone(t)
	z.set("app.test. A", "app.test. 1 A 127.0.0.2")
	r := named(t, z, "app.test", 8000, 1)
	r.log.wait(t, `web/s1 changed its IP from \(none\) to 127\.0\.0\.2 by dns/n1\.`)
	if err := r.SetServerAddr("web", "s1", "127.0.0.77", 0); err != nil {
		t.Fatal(err)
	}
	answers := func() uint64 { return r.Resolvers()[0].Nameservers[0].Counts[nsValid] }
	before := answers()
	waitFor(t, func() bool { return answers() > before+2 })
	if got := r.rowOf("web", "s1").Addr; got != "127.0.0.77:8000" {
		t.Errorf("after the same answer again: got %s, want 127.0.0.77:8000", got)
	}
	z.set("app.test. A", "app.test. 1 A 127.0.0.9")
	r.log.wait(t, `web/s1 changed its IP from 127\.0\.0\.77 to 127\.0\.0\.9 by dns/n1\.`)
	r.SetServerAddr("web", "s1", "127.0.0.78", 0)
	z.mu.Lock()
	delete(z.records, "app.test. A")
	z.mu.Unlock()
	r.log.wait(t, `Server web/s1 is going DOWN for maintenance \(DNS NX status\)`)
	z.set("app.test. A", "app.test. 1 A 127.0.0.9")
	r.log.wait(t, `web/s1 changed its IP from \(none\) to 127\.0\.0\.9 by dns/n1\.`)
}

func TestServiceRecordsFillServersWithNamesPortsAndWeights(t *testing.T) {
	z := newZone(t)
	z.set("_h._tcp.test. SRV", "_h._tcp.test. 1 SRV 1 20 8001 a.test.", "_h._tcp.test. 1 SRV 1 1000 8002 b.test.")
	z.set("a.test. A", "a.test. 1 A 127.0.0.3")
	z.set("b.test. A", "b.test. 1 A 127.0.0.4")
	r := named(t, z, "_h._tcp.test", 0, 3)
	r.log.wait(t, `web/s1 changed its FQDN from \(null\) to a\.test by 'SRV record'`)
	r.log.wait(t, `Server web/s1 administratively READY`)
	r.log.wait(t, `Server web/s2 administratively READY`)
	rows := r.Snapshot().Proxies[0].Rows[1:]
	if rows[0].Addr != "127.0.0.3:8001" || rows[1].Addr != "127.0.0.4:8002" || rows[1].UserWeight != 4 || rows[1].Server.FQDN != "b.test" ||
		rows[1].Server.SRV != "_h._tcp.test" || rows[1].Server.AdminState != 64 || rows[2].Status != "MAINT (resolution)" {
		t.Errorf("got %+v", rows)
	}
	z.set("_h._tcp.test. SRV", "_h._tcp.test. 1 SRV 1 20 8001 a.test.")
	r.log.wait(t, `Server web/s2 is going DOWN for maintenance \(entry removed from SRV record\)\. 1 active`)
	if was, err := r.SetServerName("web", "s1", "x.test"); err == nil {
		t.Errorf("the name of an SRV record was changed from %q", was)
	}
}

func TestAResolvedAddressOutlivesAReloadWithoutANameserver(t *testing.T) {
	z := newZone(t)
	z.set("app.test. A", "app.test. 1 A 127.0.0.2")
	r := named(t, z, "app.test", 8000, 1)
	r.log.wait(t, `READY thanks to`)
	memory, err := r.Memory()
	if err != nil {
		t.Fatal(err)
	}
	cfg := *r.cfg
	r.Close()
	cfg.Proxies[0].Servers[0].InitAddr = "last,none"
	cfg.Resolvers[0].Nameservers[0].Address = "127.0.0.1:1"
	cfg.Resolvers[0].Hold.Timeout = time.Hour
	next := start(t, memory, 1, &cfg)
	if row := next.Snapshot().Proxies[0].Rows[1]; row.Addr != "127.0.0.2:8000" || row.Status != "no check" {
		t.Errorf("got %s %s", row.Addr, row.Status)
	}
}
