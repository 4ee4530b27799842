package proxy

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"herald/proxy/settings"
	"herald/stats"
)

// serverRow answers the row of the first server.
func (r *rig) serverRow() *stats.Row {
	s := r.Snapshot()
	for i := range s.Proxies[0].Rows {
		if s.Proxies[0].Rows[i].Type == stats.ServerRow {
			return &s.Proxies[0].Rows[i]
		}
	}
	return nil
}

func TestAnAgentGovernsWeightLimitAndState(t *testing.T) {
	var says atomic.Pointer[string]
	tell := func(line string) { says.Store(&line) }
	tell("up 50% maxconn:7\n")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	asked := make(chan string, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 3)
			io.ReadFull(c, b)
			select {
			case asked <- string(b):
			default:
			}
			io.WriteString(c, *says.Load())
			c.Close()
		}
	}()
	p := section(script(t, mute))
	p.Servers[0].Weight = 10
	p.LogHealthChecks = true
	p.Servers[0].Agent = settings.Agent{Enabled: true, Port: l.Addr().(*net.TCPAddr).Port, Inter: 20 * time.Millisecond, Send: "hi\n"}
	r := serve(t, 1, p)
	r.log.wait(t, `Agent check for server web/s1 succeeded, reason: Layer7 check passed, code: 0, info: "via agent : up", check duration: \d+ms, status: 1/1 UP.`)
	if got := <-asked; got != "hi\n" {
		t.Errorf("the agent was sent %q, want agent-send", got)
	}
	tell("down # maintenance, 0%\n")
	r.log.wait(t, `Server web/s1 is DOWN. 0 active and 0 backup servers left`)
	if row := r.serverRow(); row.Status != "DOWN (agent)" || row.Weight != 5 || row.SessLimit != 7 || !strings.HasPrefix(row.LastAgent, "via agent : down (maintenance") {
		t.Errorf("after down: got status %q, weight %d, limit %d, last_agt %q", row.Status, row.Weight, row.SessLimit, row.LastAgent)
	}
	tell("up 100%\n")
	r.log.wait(t, `Server web/s1 is UP`)
	if err := r.SetServerAgentCheck("web", "s1", false); err != nil {
		t.Fatal(err)
	}
	if row := r.serverRow(); row.AgentChecked || row.Server.AgentState != 18 {
		t.Errorf("switched off: got asked %v, state %d, want 18", row.AgentChecked, row.Server.AgentState)
	}
	if err := r.SetServerAgentAddr("web", "s1", "127.0.0.9", 9); err != nil {
		t.Fatal(err)
	}
	if row := r.serverRow(); row.Server.AgentAddr != "127.0.0.9" || row.Server.AgentPort != 9 {
		t.Errorf("moved: got %s:%d", row.Server.AgentAddr, row.Server.AgentPort)
	}
}

func TestAHealthCheckGoesWhereTheOperatorSays(t *testing.T) {
	p := section("127.0.0.1:1")
	p.Servers[0].Check, p.Servers[0].Inter, p.Servers[0].Rise, p.Servers[0].Fall = true, 20*time.Millisecond, 1, 1
	r := serve(t, 1, p)
	r.log.wait(t, `Server web/s1 is DOWN, reason: Layer4 connection problem, info: "Connection refused"`)
	_, port, _ := net.SplitHostPort(script(t, mute))
	n, _ := net.LookupPort("tcp", port)
	if err := r.SetServerCheckAddr("web", "s1", "", n); err != nil {
		t.Fatal(err)
	}
	r.log.wait(t, `Server web/s1 is UP, reason: Layer4 check passed`)
}

func TestWhereChecksWereSentOutlivesAReloadUnlessTheFileChanged(t *testing.T) {
	generation := func(port int) *settings.Proxy {
		p := section("127.0.0.1:1")
		p.Servers[0].CheckPort = port
		p.Servers[0].Agent = settings.Agent{Enabled: true, Port: 1, Inter: time.Hour}
		return p
	}
	r := serve(t, 1, generation(9))
	for _, err := range []error{r.SetServerCheckAddr("web", "s1", "127.0.0.2", 10), r.SetServerAgentAddr("web", "s1", "127.0.0.3", 11), r.SetServerAgentCheck("web", "s1", false)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	memory, err := r.Memory()
	if err != nil {
		t.Fatal(err)
	}
	row := follow(t, memory, 1, generation(9)).serverRow()
	if got := row.Server; got.CheckAddr != "127.0.0.2" || got.CheckPort != 10 || got.AgentAddr != "127.0.0.3" || got.AgentPort != 11 || got.AgentState != 18 {
		t.Errorf("the same file: got %+v", got)
	}
	if got := follow(t, memory, 1, generation(8)).serverRow().Server; got.CheckPort != 8 || got.CheckAddr != "" || got.AgentAddr != "" {
		t.Errorf("another file: got %+v, want what it says", got)
	}
}
