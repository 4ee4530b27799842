package proxy

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/summerwind/h2spec"
	"github.com/summerwind/h2spec/config"

	"herald/proxy/settings"
)

// conform runs the conformance suite of HTTP/2, all 146 tests in their strict
// form.
func conform(t *testing.T, r *rig, secure bool) {
	t.Helper()
	host, port, _ := net.SplitHostPort(r.addr)
	n, _ := strconv.Atoi(port)
	ok, err := h2spec.Run(&config.Config{Host: host, Port: n, Path: "/", Timeout: 5 * time.Second, MaxHeaderLen: 4000, Strict: true,
		TLS: secure, Insecure: secure})
	if err != nil || !ok {
		t.Errorf("h2spec: passed %v, %v", ok, err)
	}
}

// By the preface alone one test cannot pass: it sends a wrong one, and is
// answered in HTTP/1.
func TestH2SpecPassesInClear(t *testing.T) {
	o := origin(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello hello hello hi") })
	p := section(o)
	p.Binds = []settings.Bind{{Proto: "h2"}}
	r := serve(t, 1, p)
	conform(t, r, false)
}

// A server that answers before it has read anything must not hide mistakes of
// the client's.
func TestH2SpecPassesBeforeAHastyServer(t *testing.T) {
	p := section(script(t, says("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhello hello hello hi")))
	p.Binds = []settings.Bind{{Proto: "h2"}}
	r := serve(t, 1, p)
	conform(t, r, false)
}
