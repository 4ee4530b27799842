package proxy

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"herald/proxy/settings"
)

// socks4 is a SOCKS4 proxy that answers a request with reply, in two pieces,
// and connects when it is a yes; it tells what it was asked.
func socks4(t *testing.T, reply string, asked chan<- string) string {
	return script(t, func(c net.Conn) {
		q := make([]byte, 16)
		if _, err := io.ReadFull(c, q); err != nil {
			return
		}
		asked <- string(q[8:])
		if reply == "" {
			return
		}
		io.WriteString(c, reply[:3])
		io.WriteString(c, reply[3:])
		if reply[1] != 90 {
			io.Copy(io.Discard, c)
			return
		}
		o, err := net.Dial("tcp", fmt.Sprintf("%d.%d.%d.%d:%d", q[4], q[5], q[6], q[7], int(q[2])<<8|int(q[3])))
		if err != nil {
			return
		}
		done := make(chan bool)
		go func() { io.Copy(o, c); o.(*net.TCPConn).CloseWrite(); close(done) }()
		io.Copy(c, o)
		c.Close()
		<-done
		o.Close()
	})
}

const granted, denied = "\x00\x5a\x00\x00\x00\x00\x00\x00", "\x00\x5b\x00\x00\x00\x00\x00\x00"

// Every row was seen on HAProxy 2.6.12.
func TestServersAreReachedBySOCKS4(t *testing.T) {
	for name, tc := range map[string]struct {
		reply string
		setup func(*settings.Proxy)
		want  string // in the answer
		log   string
	}{
		"granted":        {granted, nil, "hello", ` 200 [0-9]+ - - ---- `},
		"denied":         {denied, nil, "HTTP/1.1 503 ", ` 503 [0-9]+ - - SC-- `},
		"dropped":        {"", nil, "HTTP/1.1 503 ", ` 503 [0-9]+ - - SC-- `},
		"IPv6":           {granted, func(p *settings.Proxy) { p.Servers[0].Host = "::1" }, "HTTP/1.1 503 ", ` 503 [0-9]+ - - SC-- `},
		"a PROXY header": {granted, func(p *settings.Proxy) { p.Servers[0].SendProxy.Version = 1 }, "header", ` 200 [0-9]+ - - ---- `},
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan string, 4)
			p := section(script(t, func(c net.Conn) {
				b := make([]byte, 1000)
				n, _ := c.Read(b)
				if strings.HasPrefix(string(b[:n]), "PROXY TCP4 127.0.0.1 ") {
					io.WriteString(c, "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nheader")
					return
				}
				io.WriteString(c, five)
			}))
			p.Retries = 0
			p.Servers[0].Socks4 = socks4(t, tc.reply, asked)
			if tc.setup != nil {
				tc.setup(p)
			}
			r := serve(t, 1, p)
			if got := r.exchange(get); !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			r.log.wait(t, tc.log)
			if name == "IPv6" {
				return
			}
			if q := <-asked; q != "HAProxy\x00" {
				t.Errorf("asked as %q", q)
			}
		})
	}
}

func TestChecksGoBySOCKS4WhereToldTo(t *testing.T) {
	for name, tc := range map[string]struct {
		via   bool
		reply string
		log   string
	}{
		"not told": {false, denied, `succeeded, reason: Layer4 check passed`},
		"granted":  {true, granted, `succeeded, reason: Layer4 check passed`},
		"denied":   {true, denied, `failed, reason: Socket error, info: "SOCKS4 Proxy deny the request"`},
	} {
		t.Run(name, func(t *testing.T) {
			p := section(script(t, mute))
			p.LogHealthChecks = true
			s := &p.Servers[0]
			s.Socks4, s.Checks.Socks4 = socks4(t, tc.reply, make(chan string, 100)), tc.via
			s.Check, s.Inter, s.Rise, s.Fall = true, 50*time.Millisecond, 1, 1
			serve(t, 1, p).log.wait(t, tc.log)
		})
	}
}

func TestASilentSOCKS4ProxyTakesTimeoutConnect(t *testing.T) {
	p := section("127.0.0.1:9")
	quick(p)
	p.Servers[0].Socks4 = script(t, mute)
	r := serve(t, 1, p)
	if got := r.exchange(get); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("got %q", got)
	}
	r.log.wait(t, ` 503 [0-9]+ - - sC-- `)
}
