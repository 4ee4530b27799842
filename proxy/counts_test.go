package proxy

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"herald/proxy/rule"
	"herald/proxy/settings"
)

var someAddress = netip.MustParseAddrPort("127.0.0.1:80")

// Columns of HAProxy 2.6.12 for two requests to a server that refuses, with
// two retries each.
func TestAnswersOfOurOwnAreNotTheServers(t *testing.T) {
	for _, row := range []struct {
		balance                           string
		redispatch                        bool
		status                            string
		sessions, balanced, requests      uint64
		retries, redispatches, connErrors uint64
	}{
		{"first", false, "503", 6, 2, 0, 4, 0, 2},
		{"uri", true, "503", 6, 2, 0, 4, 0, 2}, // the key leads there again
		{"first", true, "200", 2, 2, 0, 0, 2, 0},
		{"leastconn", true, "200", 2, 2, 0, 0, 2, 0},
	} {
		p := section("127.0.0.1:1", script(t, says(five)))
		p.Balance, p.Redispatch, p.RedispatchInterval, p.Retries = row.balance, row.redispatch, -1, 2
		p.Timeouts.Connect = time.Millisecond // the pause between attempts
		r := serve(t, 1, p)
		path := "/2"
		if row.balance == "uri" { // one that leads to the first server
			for r.backends[0].pickFor(get1(path), someAddress) != 0 {
				path += "1"
			}
		}
		for range 2 {
			if got := r.exchange("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 "+row.status) {
				t.Errorf("%s: got %q, want %s", row.balance, got, row.status)
			}
		}
		x := r.Snapshot().Proxies[0].Rows[1]
		if x.SessTotal != row.sessions || x.LBTotal != row.balanced || x.ReqTotal != row.requests || x.Retries != row.retries ||
			x.Redispatches != row.redispatches || x.ErrConn != row.connErrors || x.Resp[4] != 0 {
			t.Errorf("%s, redispatch %v: sessions %d, balanced %d, requests %d, retries %d, redispatches %d, connection errors %d, 5xx %d; want %+v",
				row.balance, row.redispatch, x.SessTotal, x.LBTotal, x.ReqTotal, x.Retries, x.Redispatches, x.ErrConn, x.Resp[4], row)
		}
	}
}

// Columns of HAProxy 2.6.12: a page that a backend has is a request to it, one
// that the frontend has is not.
func TestThePageOfABackendIsCountedThere(t *testing.T) {
	denied, err := new(rule.Names).Condition([]string{"{", "path", "/stats/x", "}"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		ofFrontend                                  bool
		sessions, requests, ok, denied, intercepted uint64
	}{
		{false, 3, 3, 1, 1, 0},
		{true, 1, 1, 0, 0, 1},
	} {
		f, b := section(), section()
		f.Backend, b.Frontend, b.Name, f.DefaultBackend = false, false, "pages", "pages"
		st := &settings.Stats{URI: "/stats", Access: []settings.StatsRule{{Action: settings.StatsDeny, If: denied}}}
		if b.Stats = st; row.ofFrontend {
			f.Stats, b.Stats = st, nil
		}
		r := serve(t, 1, f, b)
		r.exchange("GET /stats HTTP/1.1\r\nHost: a\r\n\r\nGET /stats/x HTTP/1.1\r\nHost: a\r\n\r\n" + get)
		x := r.rowOf("pages", "BACKEND")
		if x.SessTotal != row.sessions || x.ReqTotal != row.requests || x.Resp[1] != row.ok || x.DeniedReq != row.denied || x.Resp[4] != 1 || (x.BytesIn > uint64(len(get))) == row.ofFrontend {
			t.Errorf("the backend has %d sessions, %d requests, %d 2xx, %d denied, %d 5xx, %d bytes; want %+v", x.SessTotal, x.ReqTotal, x.Resp[1], x.DeniedReq, x.Resp[4], x.BytesIn, row)
		}
		if x := r.rowOf("web", "FRONTEND"); x.Intercepted != row.intercepted || x.ReqTotal != 3 || x.DeniedReq != 1 {
			t.Errorf("the frontend has %d intercepted of %d requests, %d denied; want %+v", x.Intercepted, x.ReqTotal, x.DeniedReq, row)
		}
		if n := r.backends[len(r.backends)-1].sessions.now.Load(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	}
}
