package proxy

import (
	"fmt"
	"strings"
	"testing"

	"herald/proxy/admin"
	"herald/proxy/settings"
	"herald/stats"
)

// rowOf finds a row of the statistics.
func (r *rig) rowOf(proxy, name string) stats.Row {
	r.t.Helper()
	for _, p := range r.Snapshot().Proxies {
		for _, row := range p.Rows {
			if p.Name == proxy && row.Name == name {
				return row
			}
		}
	}
	r.t.Fatalf("there is no row %s/%s", proxy, name)
	return stats.Row{}
}

func TestAServerWithoutACheckCanBeForcedDownAndEveryLogHearsOfIt(t *testing.T) {
	r := serve(t, 1, section(script(t, says(five))))
	if err := r.SetServerHealth("web", "s1", admin.HealthDown); err != nil {
		t.Fatal(err)
	}
	for _, log := range []*lines{r.log, r.told} {
		log.wait(t, `^Server web/s1 is DOWN, changed from CLI\. 0 active and 0 backup servers left`)
		log.wait(t, `web has no server available!`)
	}
	if got := r.rowOf("web", "s1").Status; got != "DOWN" {
		t.Errorf("status: got %s, want DOWN", got)
	}
	if got := r.exchange(get); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("got %q, want 503", got)
	}
	if err := r.SetServerHealth("web", "s1", admin.HealthUp); err != nil {
		t.Fatal(err)
	}
	r.told.wait(t, `^Server web/s1 is UP, changed from CLI`)
}

func TestABackendCountsTheTimesItLostItsLastServer(t *testing.T) {
	r := serve(t, 1, section("127.0.0.1:1", "127.0.0.1:2"))
	for range 2 {
		for _, state := range []admin.ServerState{admin.StateMaint, admin.StateReady} {
			r.SetServerState("web", "s1", state)
		}
	}
	if got := r.rowOf("web", "BACKEND").CheckDowns; got != 0 {
		t.Errorf("with a server left: got %d, want 0", got)
	}
	r.SetServerState("web", "s2", admin.StateMaint)
	r.SetServerState("web", "s1", admin.StateMaint)
	if got := r.rowOf("web", "BACKEND").CheckDowns; got != 1 {
		t.Errorf("with none: got %d, want 1", got)
	}
}

func TestABackendWhoseLastWeightIsTakenHasNoServer(t *testing.T) {
	r := serve(t, 1, section("127.0.0.1:1"))
	r.SetServerWeight("web", "s1", 0)
	r.log.wait(t, `proxy web has no server available!`)
	r.SetServerWeight("web", "s1", 1)
	if row := r.rowOf("web", "BACKEND"); row.CheckDowns != 1 || row.Status != "UP" {
		t.Errorf("with the weight back: got %q, down %d times, want UP, once", row.Status, row.CheckDowns)
	}
}

func TestABackendThatBeginsWithoutAServerLosesNone(t *testing.T) {
	p := section("127.0.0.1:1")
	p.Servers[0].Disabled = true
	r := serve(t, 1, p)
	r.SetServerWeight("web", "s1", 5)
	if row := r.rowOf("web", "BACKEND"); row.CheckDowns != 0 || row.Status != "DOWN" {
		t.Errorf("got %q, down %d times, want DOWN, never", row.Status, row.CheckDowns)
	}
	r.SetServerState("web", "s1", admin.StateReady)
	r.SetServerState("web", "s1", admin.StateMaint)
	if row := r.rowOf("web", "BACKEND"); row.CheckDowns != 1 {
		t.Errorf("after its server came and went: down %d times, want once", row.CheckDowns)
	}
}

// The numbers are those of HAProxy 2.6.12 for the same maxconn.
func TestABackendsShareIsATenthOfWhatItsFrontendsMayHave(t *testing.T) {
	front := func(name string, id, maxConn int) *settings.Proxy {
		p := section()
		p.Name, p.ID, p.Backend, p.MaxConn, p.DefaultBackend = name, id, false, maxConn, "be"
		return p
	}
	back := func(name string, id int) *settings.Proxy {
		p := section("127.0.0.1:1")
		p.Name, p.ID, p.Frontend = name, id, false
		return p
	}
	own := section("127.0.0.1:1")
	own.Name, own.ID, own.MaxConn = "li", 6, 77
	fixed := back("fixed", 7)
	fixed.FullConn = 9
	r := serve(t, 1, front("fe", 2, 333), front("fe2", 3, 2000), back("be", 4), back("lonely", 5), own, fixed)
	for _, tc := range []struct {
		name string
		want uint64
	}{{"be", 234}, {"lonely", 1}, {"li", 8}, {"fixed", 9}} {
		if got := r.rowOf(tc.name, "BACKEND").SessLimit; got != tc.want {
			t.Errorf("%s: got %d, want %d", tc.name, got, tc.want)
		}
	}
}

func TestPausingAProxyIsLogged(t *testing.T) {
	fe := section()
	fe.Name, fe.Backend, fe.ID = "fe", false, 3
	r := serve(t, 1, section("127.0.0.1:1"), fe)
	for _, name := range []string{"web", "fe"} {
		r.SetFrontend(name, false)
		r.SetFrontend(name, true)
	}
	for _, want := range []string{`^Paused proxy web\.`, `^Resumed proxy web\.`, `^Paused frontend fe\.`, `^Resumed frontend fe\.`} {
		r.log.wait(t, want)
		r.told.wait(t, want)
	}
}

func TestOnlyReadingAndPostingAreThePages(t *testing.T) {
	p := section(script(t, says(five)))
	p.Connection = settings.Close
	p.Stats = &settings.Stats{URI: "/stats"}
	r := serve(t, 1, p)
	for _, tc := range []struct{ method, want string }{
		{"GET", "<html"}, {"HEAD", "cache-control"}, {"PUT", "hello"}, {"OPTIONS", "hello"}, {"DELETE", "hello"},
	} {
		got := r.exchange(fmt.Sprintf("%s /stats HTTP/1.1\r\nHost: a\r\n\r\n", tc.method))
		if !strings.Contains(strings.ToLower(got), tc.want) {
			t.Errorf("%s: got %.200q, want %q in it", tc.method, got, tc.want)
		}
	}
}

func TestADotInTheScopeOfThePageIsItsProxy(t *testing.T) {
	p := section("127.0.0.1:1")
	p.Connection = settings.Close
	p.Stats = &settings.Stats{URI: "/stats", Scope: []string{"."}}
	other := section("127.0.0.1:1")
	other.Name, other.ID = "other", 3
	r := serve(t, 1, p, other)
	got := r.exchange("GET /stats;csv HTTP/1.1\r\nHost: a\r\n\r\n")
	if !strings.Contains(got, "\nweb,BACKEND,") || strings.Contains(got, "\nother,") {
		t.Errorf("got %q, want web and not other", got)
	}
}
