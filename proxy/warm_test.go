package proxy

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"herald/proxy/admin"
	"herald/proxy/check"
)

// The columns were seen on HAProxy 2.6.12 with a slowstart of 4 s and a weight
// of 10.
func TestAServerThatWarmsUpShowsItsThrottle(t *testing.T) {
	for _, row := range []struct {
		balance string
		columns string // weight, throttle and the backend's weight after 0, 1, 2, 3 and 4 s
	}{
		{"roundrobin", "[1 6 11] [4 31 14] [6 56 16] [9 81 19] [10 0 20]"},
		{"static-rr", "[10 100 20] [10 100 20] [10 100 20] [10 100 20] [10 0 20]"},
	} {
		p := section("127.0.0.1:1", "127.0.0.1:2")
		p.Balance = row.balance
		for i := range p.Servers {
			p.Servers[i].Weight = 10
		}
		p.Servers[0].SlowStart, p.Servers[0].MaxConn = 4*time.Second, 20
		r := serve(t, 1, p)
		if err := r.SetServerState("web", "s1", admin.StateMaint); err != nil {
			t.Fatal(err)
		}
		if err := r.SetServerState("web", "s1", admin.StateReady); err != nil {
			t.Fatal(err)
		}
		x := r.backends[0].targets[0]
		got, limits := "", ""
		for second := range 5 {
			if second > 0 { // as if it had passed
				x.be.mu.Lock()
				x.state.Since = time.Now().Add(-time.Duration(second)*time.Second - 10*time.Millisecond)
				x.be.mu.Unlock()
				r.step(x, check.Event{Kind: check.Warmed})
			}
			limits += fmt.Sprint(x.limit(), " ")
			rows := r.Snapshot().Proxies[0].Rows
			got += fmt.Sprint([]int{rows[1].Weight, rows[1].Throttle, rows[3].Weight}, " ")
		}
		if got != row.columns+" " {
			t.Errorf("%s: want %s, got %s", row.balance, row.columns, got)
		}
		if limits != "1 5 10 15 20 " {
			t.Errorf("%s: limits of maxconn 20: got %s", row.balance, limits)
		}
		r.log.wait(t, "Server web/s1 is UP/READY .leaving forced maintenance")
		r.log.wait(t, "Server web/s1 is UP. 2 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.")
	}
}

func TestStaticAlgorithmsTakeNoOtherWeight(t *testing.T) {
	p := section("127.0.0.1:1")
	p.Balance, p.Servers[0].Weight = "uri", 10
	r := serve(t, 1, p)
	for weight, want := range map[int]error{0: nil, 10: nil, 5: admin.StaticWeight} {
		if err := r.SetServerWeight("web", "s1", weight); !errors.Is(err, want) {
			t.Errorf("weight %d: got %v, want %v", weight, err, want)
		}
	}
	p = section("127.0.0.1:1")
	p.Balance, p.HashType.Consistent = "uri", true
	r = serve(t, 1, p)
	if err := r.SetServerWeight("web", "s1", 5); err != nil {
		t.Errorf("on the ring: %v", err)
	}
}

func TestAServerThatComesUpEndsTheSessionsOfBackups(t *testing.T) {
	h := hold(t, 2)
	p := section(h.addr...)
	p.Servers[0].ShutdownBackupsOnUp, p.Servers[0].Disabled = true, true
	p.Servers[1].Backup = true
	r := serve(t, 1, p)
	c := r.request("/1")
	if got := h.at("/1"); got != 1 {
		t.Fatalf("at server %d, want the backup", got)
	}
	if err := r.SetServerState("web", "s1", admin.StateReady); err != nil {
		t.Fatal(err)
	}
	if !readHeadOf(c) {
		t.Error("no answer")
	}
	r.log.wait(t, `web/s2 .* 502 \d+ - - UH-- `)
}
