package proxy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"herald/proxy/settings"
)

func TestDispatchTakesAllRequestsUnderNoServersName(t *testing.T) {
	host, port, err := net.SplitHostPort(script(t, says(five)))
	if err != nil {
		t.Fatal(err)
	}
	p := section()
	p.Dispatch = &settings.Server{Name: "<NOSRV>", Host: host, Weight: 1}
	if p.Dispatch.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	r := serve(t, 1, p)
	if got := r.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); !strings.HasSuffix(got, "hello") {
		t.Errorf("got %q", got)
	}
	r.log.wait(t, ` web/<NOSRV> .* 200 \d+ - - ---- `)
	if row := r.Snapshot().Proxies[0].Rows[1]; row.Status != "UP" || row.LBTotal != 0 || row.SessTotal != 1 {
		t.Errorf("backend: %s, balanced %d, sessions %d, want UP, 0 and 1", row.Status, row.LBTotal, row.SessTotal)
	}
}

func TestDispatchThatRefusesIsA503(t *testing.T) {
	p := section()
	p.Dispatch = &settings.Server{Name: "<NOSRV>", Host: "127.0.0.1", Port: 1, Weight: 1}
	p.Retries, p.Redispatch, p.RedispatchInterval = 1, true, 1
	p.Timeouts.Connect = 1e6
	r := serve(t, 1, p)
	if got := r.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("got %q, want 503", got)
	}
}

// The body may come later, in pieces, and chunked.
func TestCheckPostWaitsForTheParameterInTheBody(t *testing.T) {
	var servers []string
	for i := range 5 {
		servers = append(servers, origin(t, func(w http.ResponseWriter, q *http.Request) {
			io.Copy(io.Discard, q.Body)
			fmt.Fprint(w, i)
		}))
	}
	p := section(servers...)
	p.Balance, p.BalanceArgs = "url_param", settings.BalanceArgs{Name: "id", CheckPost: true}
	r := serve(t, 1, p)
	last := func(text string) string { return text[len(text)-1:] }
	for id := range 8 {
		want := last(r.exchange(fmt.Sprintf("GET /?id=%d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", id)))
		body := fmt.Sprintf("a=b&id=%d&c=d", id)
		c := r.dial()
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:5])
		waitFor(t, func() bool { return r.backends[0].sessions.now.Load() == 1 })
		io.WriteString(c, body[5:])
		got, err := io.ReadAll(c)
		if err != nil || last(string(got)) != want {
			t.Errorf("id %d, in two pieces: got %q, %v, want server %s", id, got, err, want)
		}
		got2 := r.exchange(fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body))
		if !strings.Contains(got2, "\r\n"+want+"\r\n") && last(got2) != want {
			t.Errorf("id %d, chunked: got %q, want server %s", id, got2, want)
		}
		waitFor(t, func() bool { return r.backends[0].sessions.now.Load() == 0 })
	}
}
