package proxy

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"net"

	"golang.org/x/net/http2"

	"herald/proxy/settings"
)

// h2TLS makes the bind line of p one that agrees on HTTP/2.
func h2TLS(p *settings.Proxy) *settings.Proxy {
	return encrypted(p, func(b *settings.BindTLS) { b.ALPN = []string{"h2", "http/1.1"} })
}

func TestH2SpecPassesInTLS(t *testing.T) {
	o := origin(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello hello hello hi") })
	r := serve(t, 1, h2TLS(section(o)))
	conform(t, r, true)
}

func TestHTTP2InTLSByALPN(t *testing.T) {
	o := origin(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Write(b)
	})
	p := h2TLS(section(o))
	r := serve(t, 1, p)
	tr := &http2.Transport{TLSClientConfig: trusting()}
	defer tr.CloseIdleConnections()
	cl := &http.Client{Transport: tr, Timeout: 20 * time.Second}
	var wg sync.WaitGroup
	for _, size := range []int{0, 1, 16384, 200000, 2 << 20} {
		for range 4 {
			wg.Go(func() {
				body := bytes.Repeat([]byte("x"), size)
				resp, err := cl.Post("https://"+r.addr+"/", "text/plain", bytes.NewReader(body))
				if err != nil {
					t.Errorf("%d bytes: %v", size, err)
					return
				}
				defer resp.Body.Close()
				if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, body) || resp.ProtoMajor != 2 {
					t.Errorf("%d bytes: got %d, %v, %s", size, len(got), err, resp.Proto)
				}
			})
		}
	}
	wg.Wait()
	r.log.wait(t, `"POST https://127.0.0.1:[0-9]+/ HTTP/2.0"`)
	if n := r.frontends[0].tallies[0].conns.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

// A client that speaks none of the bind line's protocols, HAProxy 2.6.12 serves
// as one that named none; its sessions go on as others' do.
func TestAClientOfOtherProtocolsIsServedInHTTP1(t *testing.T) {
	for _, tc := range []struct {
		bind, client []string
		want         string // both agreed on
	}{
		{[]string{"h2", "http/1.1"}, nil, ""},
		{[]string{"h2", "http/1.1"}, []string{"foo"}, ""},
		{[]string{"h2", "http/1.1"}, []string{"foo", "http/1.1"}, "http/1.1"},
		{[]string{"h2"}, []string{"http/1.1"}, ""},
		{[]string{"h2"}, []string{"http/1.0", "foo"}, ""},
		{[]string{"http/1.1"}, []string{"h2"}, ""},
		{nil, []string{"h2"}, ""},
	} {
		r := serve(t, 1, encrypted(section(script(t, says(five))), func(b *settings.BindTLS) { b.ALPN = tc.bind }))
		config := trusting()
		config.NextProtos, config.ClientSessionCache = tc.client, tls.NewLRUClientSessionCache(1)
		for _, resumed := range []bool{false, true} {
			c := r.secure(config)
			if err := c.Handshake(); err != nil {
				t.Errorf("%q on %q: %v", tc.client, tc.bind, err)
				break
			}
			_, got := fetch(t, c, bufio.NewReader(c), get)
			if s := c.ConnectionState(); got != "hello" || s.NegotiatedProtocol != tc.want || s.DidResume != resumed {
				t.Errorf("%q on %q: got %q by %q, resumed %t; want it by %q, resumed %t", tc.client, tc.bind, got, s.NegotiatedProtocol, s.DidResume, tc.want, resumed)
			}
			c.Close()
		}
	}
}

func TestHTTP2ToAServerByALPN(t *testing.T) {
	for _, tc := range []struct {
		name  string
		h2    bool // the server speaks it
		proto string
		alpn  []string
		want  string
	}{
		{"both can", true, "", []string{"h2", "http/1.1"}, "HTTP/2.0"},
		{"the server cannot", false, "", []string{"h2", "http/1.1"}, "HTTP/1.1"},
		{"we do not ask", true, "", nil, "HTTP/1.1"},
		{"we insist", true, "h2", []string{"h2"}, "HTTP/2.0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var conns atomic.Int64
			o := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
			o.EnableHTTP2 = tc.h2
			o.Config.ConnState = func(_ net.Conn, s http.ConnState) {
				if s == http.StateNew {
					conns.Add(1)
				}
			}
			o.StartTLS()
			t.Cleanup(o.Close)
			p := section(o.Listener.Addr().String())
			p.Servers[0].Proto = tc.proto
			p.Servers[0].TLS = &settings.ServerTLS{TLS: settings.TLS{On: true, Verify: settings.VerifyNone, ALPN: tc.alpn}}
			r := serve(t, 1, p)
			cl := h2client(t)
			for range 5 {
				resp, err := cl.Get("http://" + r.addr + "/")
				if err != nil {
					t.Fatal(err)
				}
				b, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if string(b) != tc.want {
					t.Errorf("got %q, want %q", b, tc.want)
				}
			}
			if n := conns.Load(); n != 1 {
				t.Errorf("%d connections to the server, want 1", n)
			}
		})
	}
}

func TestAServerThatSpeaksNoHTTP2WhereItMustIsA502(t *testing.T) {
	o := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(o.Close)
	p := section(o.Listener.Addr().String())
	p.Servers[0].Proto = "h2"
	p.Servers[0].TLS = &settings.ServerTLS{TLS: settings.TLS{On: true, Verify: settings.VerifyNone}}
	r := serve(t, 1, p)
	resp, err := h2client(t).Get("http://" + r.addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 502 {
		t.Errorf("got %d, want 502", resp.StatusCode)
	}
}
