package proxy

import (
	"bufio"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"herald/proxy/reference"
	"herald/proxy/settings"
)

// Who shares a connection to an HTTP/2 server, by http-reuse: the first request
// of a client only where it may. The answers are HAProxy's, which is asked
// where it is installed.
func TestWhoMayShareAConnectionToAnHTTP2Server(t *testing.T) {
	for _, tc := range []struct {
		mode string
		as   settings.Reuse
		want string // how many connections there are after each of a, a, b, b, a, c
	}{
		{"safe", settings.ReuseSafe, "1 1 2 2 2 3"},
		{"aggressive", settings.ReuseAggressive, "1 1 1 1 1 1"},
		{"always", settings.ReuseAlways, "1 1 1 1 1 1"},
	} {
		ask := func(conns *atomic.Int64, visit func() visitor) string {
			a, b, c := visit(), visit(), visit()
			var got []string
			for _, v := range []visitor{a, a, b, b, a, c} {
				v.ask(t)
				got = append(got, fmt.Sprint(conns.Load()))
			}
			return strings.Join(got, " ")
		}
		o, conns := h2origin(t, func(http.ResponseWriter, *http.Request) {})
		p := h2section(o)
		p.Reuse = tc.as
		if got := ask(conns, serve(t, 1, p).visitor); got != tc.want {
			t.Errorf("%s: %s connections, want %s", tc.mode, got, tc.want)
		}
		if _, err := exec.LookPath("haproxy"); err != nil {
			continue
		}
		o, conns = h2origin(t, func(http.ResponseWriter, *http.Request) {})
		addr := reference.Address(t)
		reference.Run(t, fmt.Sprintf("global\n nbthread 1\ndefaults\n mode http\n timeout connect 5s\n timeout client 5s\n timeout server 5s\nlisten l\n bind %s\n http-reuse %s\n server s %s proto h2\n", addr, tc.mode, o))
		got := ask(conns, func() visitor {
			c := reference.Dial(t, addr)
			t.Cleanup(func() { c.Close() })
			return visitor{c, bufio.NewReader(c)}
		})
		if got != tc.want {
			t.Errorf("%s: HAProxy has %s connections, want %s", tc.mode, got, tc.want)
		}
	}
}
