package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	oracle "github.com/pires/go-proxyproto"

	"herald/proxy/settings"
)

// introducing is a section whose clients are proxies.
func introducing(servers ...string) *settings.Proxy {
	p := section(servers...)
	p.Binds = []settings.Bind{{AcceptProxy: true}}
	p.ForwardFor, p.OriginalTo = &settings.ForwardFor{}, &settings.ForwardFor{Header: "X-Original-To"}
	return p
}

// Every row was seen on HAProxy 2.6.12, but for those in parts, where it does
// not wait.
func TestAClientIsWhomItsHeaderNames(t *testing.T) {
	const v2 = "\r\n\r\n\x00\r\nQUIT\n"
	for name, tc := range map[string]struct {
		send []string
		from string // in x-forwarded-for and the log; empty: the connection's own
		to   string
	}{
		"version 1":        {[]string{"PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222\r\n" + get}, "1.2.3.4:1111", "5.6.7.8"},
		"in parts":         {[]string{"PROXY TCP4 1.2.3.4 5.6.7", ".8 1111 2222\r\n", get}, "1.2.3.4:1111", "5.6.7.8"},
		"byte by byte":     {strings.Split("PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222\r\n"+get, ""), "1.2.3.4:1111", "5.6.7.8"},
		"IPv6":             {[]string{"PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n" + get}, "2001:db8::1:1", "2001:db8::2"},
		"unknown":          {[]string{"PROXY UNKNOWN\r\n" + get}, "", "127.0.0.1"},
		"version 2":        {[]string{v2 + "\x21\x11\x00\x0c\x09\x09\x09\x09\x08\x08\x08\x08\x00\x05\x00\x06" + get}, "9.9.9.9:5", "8.8.8.8"},
		"version 2, parts": {[]string{v2, "\x21\x11\x00\x0c\x09\x09\x09\x09\x08\x08\x08\x08\x00\x05", "\x00\x06", get}, "9.9.9.9:5", "8.8.8.8"},
		"local":            {[]string{v2 + "\x20\x00\x00\x00" + get}, "", "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 4)
			r := serve(t, 1, introducing(heard(t, got)))
			c := r.dial()
			for _, part := range tc.send {
				io.WriteString(c, part)
			}
			from := tc.from
			if from == "" {
				from = c.LocalAddr().String()
			}
			host := from[:strings.LastIndexByte(from, ':')]
			if g, want := <-got, "x-forwarded-for: "+host+"\r\nx-original-to: "+tc.to+"\r\n"; !strings.Contains(g, want) {
				t.Errorf("the server got %q, want %q in it", g, want)
			}
			r.log.wait(t, `^`+strings.ReplaceAll(from, ".", `\.`)+` \[`)
		})
	}
}

// Every text was seen on HAProxy 2.6.12.
func TestWithoutItsHeaderAClientIsRefused(t *testing.T) {
	for name, tc := range map[string]struct{ send, log string }{
		"a request":   {get, "Received something which does not look like a PROXY protocol header"},
		"a bad one":   {"PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n", "Received an unhandled protocol in the PROXY protocol header"},
		"a wrong one": {"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n", "Received an invalid PROXY protocol header"},
		"nothing":     {"", "Timeout while waiting for PROXY protocol header"},
		"a part":      {"PROXY TC", "Timeout while waiting for PROXY protocol header"},
	} {
		t.Run(name, func(t *testing.T) {
			p := introducing(script(t, says(five)))
			p.Timeouts.Client = 100 * time.Millisecond
			r := serve(t, 1, p)
			c := r.dial()
			io.WriteString(c, tc.send)
			if b, _ := io.ReadAll(c); len(b) > 0 {
				t.Errorf("answer %q", b)
			}
			r.log.wait(t, tc.log)
		})
	}
}

func TestAClientThatClosesInItsHeader(t *testing.T) {
	r := serve(t, 1, introducing(script(t, says(five))))
	c := r.dial()
	io.WriteString(c, "PROXY TC")
	c.Close()
	r.log.wait(t, "Truncated PROXY protocol header received|Connection closed while waiting")
	d := r.dial()
	d.Close()
	r.log.wait(t, "Connection closed while waiting for PROXY protocol header")
}

// A server that is a proxy itself reads whom we speak for, by another
// implementation.
func TestAServerIsToldWhomWeSpeakFor(t *testing.T) {
	for name, tc := range map[string]struct {
		header settings.ProxyHeader
		mode   settings.Mode
	}{
		"version 1":         {settings.ProxyHeader{Version: 1}, settings.HTTP},
		"version 2":         {settings.ProxyHeader{Version: 2}, settings.HTTP},
		"version 2, fields": {settings.ProxyHeader{Version: 2, CRC32C: true, UniqueID: true, SSL: true, CN: true}, settings.HTTP},
		"version 1 in tcp":  {settings.ProxyHeader{Version: 1}, settings.TCP},
	} {
		t.Run(name, func(t *testing.T) {
			told := make(chan string, 4)
			addr := script(t, func(c net.Conn) {
				in := bufio.NewReader(c)
				h, err := oracle.Read(in)
				if err != nil {
					told <- err.Error()
					return
				}
				told <- h.SourceAddr.String() + " " + h.DestinationAddr.String()
				for {
					line, err := in.ReadString('\n')
					if err != nil {
						return
					}
					if line == "\r\n" {
						fmt.Fprint(c, five)
					}
				}
			})
			p := section(addr)
			p.Mode, p.Reuse = tc.mode, settings.ReuseAlways
			p.Servers[0].SendProxy = tc.header
			r := serve(t, 1, p)
			a, b := r.visitor(), r.visitor()
			for _, v := range []visitor{a, b, a, b} { // a connection is one client's alone
				if got := v.ask(t); got != "hello" {
					t.Errorf("got %q", got)
				}
			}
			said := []string{<-told, <-told} // in either order
			for _, v := range []visitor{a, b} {
				if want := v.LocalAddr().String() + " " + v.RemoteAddr().String(); !slices.Contains(said, want) {
					t.Errorf("told %q, want %q among it", said, want)
				}
			}
			select {
			case more := <-told:
				t.Errorf("a third connection: %q", more)
			default:
			}
		})
	}
}
