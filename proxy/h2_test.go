package proxy

import (
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/summerwind/h2spec"
	"github.com/summerwind/h2spec/config"
)

// TestH2SpecPassesInClear runs the conformance suite of HTTP/2 against a
// frontend that finds out by the preface.
func TestH2SpecPassesInClear(t *testing.T) {
	o := script(t, says("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhello hello hello hi"))
	p := section(o)
	r := serve(t, 1, p)
	r.frontends[0].ports[0].bind.Proto = "h2"
	host, port, _ := net.SplitHostPort(r.addr)
	n, _ := strconv.Atoi(port)
	ok, err := h2spec.Run(&config.Config{Host: host, Port: n, Path: "/", Timeout: 2 * time.Second, MaxHeaderLen: 4000, Strict: true, Insecure: true})
	if err != nil || !ok {
		t.Errorf("h2spec: passed %v, %v", ok, err)
	}
}
