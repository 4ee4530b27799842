package proxy

import (
	"net/netip"
	"strings"
	"testing"
	"time"
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
