package proxy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"golang.org/x/sys/unix"

	"herald/proxy/settings"
	"herald/stats"
)

// h2client is an HTTP/2 client without TLS.
func h2client(t *testing.T) *http.Client {
	tr := &http2.Transport{AllowHTTP: true, DialTLSContext: func(ctx context.Context, network, addr string, _ *tls.Config) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 20 * time.Second}
}

// h2raw is a client that writes and reads frames.
type h2raw struct {
	*http2.Framer
	t     *testing.T
	c     *net.TCPConn
	enc   *hpack.Encoder
	block bytes.Buffer
}

func dialH2(t *testing.T, r *rig) *h2raw {
	t.Helper()
	c := r.dial()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	p := &h2raw{Framer: http2.NewFramer(c, c), t: t, c: c}
	p.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	p.enc = hpack.NewEncoder(&p.block)
	io.WriteString(c, http2.ClientPreface)
	p.WriteSettings()
	return p
}

func (p *h2raw) fields(kv ...string) []byte {
	p.block.Reset()
	for i := 0; i < len(kv); i += 2 {
		p.enc.WriteField(hpack.HeaderField{Name: kv[i], Value: kv[i+1]})
	}
	return p.block.Bytes()
}

func (p *h2raw) request(id uint32, end bool, method, path string, more ...string) {
	kv := append([]string{":method", method, ":scheme", "http", ":path", path, ":authority", "a"}, more...)
	p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, EndHeaders: true, EndStream: end, BlockFragment: p.fields(kv...)})
}

// next returns the next frame that is about a stream, or GOAWAY, or what went
// wrong, as text.
func (p *h2raw) next() string {
	p.t.Helper()
	for {
		f, err := p.ReadFrame()
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, unix.ECONNRESET) {
				return "EOF"
			}
			p.t.Fatalf("read a frame: %v", err)
		}
		switch f := f.(type) {
		case *http2.SettingsFrame, *http2.WindowUpdateFrame, *http2.PingFrame:
		case *http2.MetaHeadersFrame:
			return fmt.Sprintf("HEADERS %d %s %v", f.StreamID, f.PseudoValue("status"), f.StreamEnded())
		case *http2.DataFrame:
			return fmt.Sprintf("DATA %d %q %v", f.StreamID, f.Data(), f.StreamEnded())
		case *http2.RSTStreamFrame:
			return fmt.Sprintf("RST %d %v", f.StreamID, f.ErrCode)
		case *http2.GoAwayFrame:
			return fmt.Sprintf("GOAWAY %d %v", f.LastStreamID, f.ErrCode)
		default:
			return fmt.Sprint(f)
		}
	}
}

// want reads these frames. The end of a body may stand on its last bytes
// instead of in a frame of its own.
func (p *h2raw) want(frames ...string) {
	p.t.Helper()
	for i := 0; i < len(frames); i++ {
		w := frames[i]
		got := p.next()
		if body, ok := strings.CutSuffix(w, " false"); ok && i+1 < len(frames) && strings.HasSuffix(frames[i+1], `"" true`) && got == body+" true" {
			i++
			continue
		}
		if got != w {
			p.t.Errorf("got %s, want %s", got, w)
		}
	}
}

func TestHTTP2CarriesBodiesBothWays(t *testing.T) {
	o := origin(t, func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.URL.Query().Get("length") != "" {
			w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		}
		w.Header().Set("X-Sum", fmt.Sprintf("%x", sha256.Sum256(b)))
		w.Write(b)
	})
	p := section(o)
	r := serve(t, 2, p)
	cl := h2client(t)
	var wg sync.WaitGroup
	for i, size := range []int{0, 1, 1000, 16384, 65535, 65536, 200000, 3 << 20, 5<<20 + 1} {
		for _, query := range []string{"", "?length=1"} {
			for _, chunked := range []bool{false, true} {
				wg.Go(func() {
					body := bytes.Repeat([]byte{byte('a' + i)}, size)
					var reader io.Reader = bytes.NewReader(body)
					if chunked {
						reader = struct{ io.Reader }{reader}
					}
					req, _ := http.NewRequest("POST", "http://"+r.addr+"/"+query, reader)
					resp, err := cl.Do(req)
					if err != nil {
						t.Errorf("%d bytes: %v", size, err)
						return
					}
					defer resp.Body.Close()
					got, err := io.ReadAll(resp.Body)
					if err != nil || !bytes.Equal(got, body) || resp.Header.Get("X-Sum") != fmt.Sprintf("%x", sha256.Sum256(body)) {
						t.Errorf("%d bytes (chunked %v, %q): got %d, %v", size, chunked, query, len(got), err)
					}
				})
			}
		}
	}
	wg.Wait()
}

func TestHTTP2CarriesTrailersAndInterimResponses(t *testing.T) {
	seen := make(chan http.Header, 1)
	o := origin(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		seen <- r.Trailer
		w.Header().Set("Link", "</a>")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Trailer", "X-T")
		io.WriteString(w, "body")
		w.Header().Set("X-T", "there")
	})
	r := serve(t, 1, section(o))
	req, _ := http.NewRequest("POST", "http://"+r.addr+"/", struct{ io.Reader }{strings.NewReader("hello")})
	req.Trailer = http.Header{"X-U": {"here"}}
	resp, err := h2client(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	io.ReadAll(resp.Body)
	if got := (<-seen).Get("X-U"); got != "here" {
		t.Errorf("the request's trailer: got %q", got)
	}
	if got := resp.Trailer.Get("X-T"); got != "there" {
		t.Errorf("the response's trailer: got %q", got)
	}
}

func TestHTTP2IsLoggedAndCountedAsHAProxyDoes(t *testing.T) {
	o := script(t, says(five))
	r := serve(t, 1, section(o))
	p := dialH2(t, r)
	p.request(1, true, "GET", "/x?y=1")
	p.want("HEADERS 1 200 false", `DATA 1 "hello" true`)
	p.request(3, true, "GET", "/")
	p.want("HEADERS 3 200 false", `DATA 3 "hello" true`)
	r.log.wait(t, `web web/s1 [0-9/]+ 200 [0-9]+ - - ---- 1/1/0/0/0 0/0 "GET http://a/x\?y=1 HTTP/2.0"`)
	f := r.frontends[0]
	waitFor(t, func() bool { return f.tallies[0].requests.Load() == 2 })
	if n := f.tallies[0].conns.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	p.c.Close()
	waitFor(t, func() bool { return r.conns.now.Load() == 0 })
	want := stats.H2{Headers: 2, Settings: 1, Conns: 1, Streams: 2, GoawaysSent: 1}
	if got := r.Snapshot().Proxies[0].Rows[0].H2; got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if n := f.backend.targets[0].tallies[0].connects.Load(); n != 1 {
		t.Errorf("%d connections to the server, want 1", n)
	}
}

func TestTheEndsOfAStreamAreThoseOfARequest(t *testing.T) {
	stalls := says("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello")
	for _, tc := range []struct {
		name   string
		server func(net.Conn)
		do     func(p *h2raw)
		frames []string
		log    string
	}{
		{"a server that closes in the body", saysAndCloses("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello"), nil,
			[]string{"HEADERS 1 200 false", `DATA 1 "hello" false`, "RST 1 INTERNAL_ERROR"}, ` 200 [0-9]+ - - SD-- `},
		{"a server that closes in a chunk", saysAndCloses("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello"), nil,
			[]string{"HEADERS 1 200 false", `DATA 1 "hello" false`, "RST 1 INTERNAL_ERROR"}, ` 200 [0-9]+ - - SD-- `},
		{"a server that ends its body by closing", saysAndCloses("HTTP/1.1 200 OK\r\n\r\nhello"), nil,
			[]string{"HEADERS 1 200 false", `DATA 1 "hello" false`, `DATA 1 "" true`}, ` 200 [0-9]+ - - ---- `},
		{"a server that stalls in the body", stalls, nil,
			[]string{"HEADERS 1 200 false", `DATA 1 "hello" false`, "RST 1 INTERNAL_ERROR"}, ` 200 [0-9]+ - - sD-- `},
		{"a server that speaks no HTTP", saysAndCloses("HELLO\r\n\r\n"), nil, []string{"HEADERS 1 502 false"}, ` 502 [0-9]+ - - PH-- `},
		{"a server that says nothing", mute, nil, []string{"HEADERS 1 504 false"}, ` 504 [0-9]+ - - sH-- `},
		{"a request taken back", mute, func(p *h2raw) { p.WriteRSTStream(1, http2.ErrCodeCancel) }, nil, ` -1 0 - - C[CD]-- `},
		{"a response taken back", stalls, func(p *h2raw) {
			p.want("HEADERS 1 200 false", `DATA 1 "hello" false`)
			p.WriteRSTStream(1, http2.ErrCodeCancel)
		}, nil, ` 200 [0-9]+ - - CD-- `},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := section(script(t, tc.server))
			quick(s)
			r := serve(t, 1, s)
			p := dialH2(t, r)
			p.request(1, true, "GET", "/")
			if tc.do != nil {
				tc.do(p)
			}
			p.want(tc.frames...)
			r.log.wait(t, tc.log)
			waitFor(t, func() bool {
				return r.backends[0].sessions.now.Load() == 0 && r.backends[0].targets[0].sessions.now.Load() == 0
			})
		})
	}
}

func TestOneStreamsEndLeavesTheOthers(t *testing.T) {
	o := script(t, func(c net.Conn) {
		b := make([]byte, 1000)
		n, _ := c.Read(b)
		if strings.HasPrefix(string(b[:n]), "GET /bad") {
			io.WriteString(c, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nx")
			return
		}
		io.WriteString(c, five)
	})
	r := serve(t, 1, section(o))
	p := dialH2(t, r)
	p.request(1, true, "GET", "/bad")
	p.want("HEADERS 1 200 false", `DATA 1 "x" false`, "RST 1 INTERNAL_ERROR")
	p.request(3, true, "GET", "/good")
	p.want("HEADERS 3 200 false", `DATA 3 "hello" true`)
}

func TestAnIdleHTTP2ConnectionIsToldToLeave(t *testing.T) {
	s := section(script(t, says(five)))
	s.Timeouts.HTTPKeepAlive = 50 * time.Millisecond
	r := serve(t, 1, s)
	p := dialH2(t, r)
	p.request(1, true, "GET", "/")
	p.want("HEADERS 1 200 false", `DATA 1 "hello" true`, "GOAWAY 1 NO_ERROR", "EOF")
}

func TestAnHTTP2ConnectionThatAsksNothingEnds(t *testing.T) {
	s := section(script(t, says(five)))
	s.Timeouts.HTTPRequest = 50 * time.Millisecond
	r := serve(t, 1, s)
	dialH2(t, r).want("GOAWAY 0 NO_ERROR", "EOF")
	half := dialH2(t, r) // a head without its end
	half.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x82}})
	half.want("GOAWAY 0 NO_ERROR", "EOF")
	waitFor(t, func() bool { return r.conns.now.Load() == 0 })
}

func TestDrainingTellsHTTP2ClientsAndServesWhatTheyAsked(t *testing.T) {
	release := make(chan struct{})
	o := script(t, func(c net.Conn) {
		readHeadOf(c)
		<-release
		io.WriteString(c, five)
	})
	r := serve(t, 1, section(o))
	p := dialH2(t, r)
	p.request(1, true, "GET", "/")
	waitFor(t, func() bool { return r.backends[0].sessions.now.Load() == 1 })
	done := make(chan error, 1)
	go func() { done <- r.Drain(t.Context()) }()
	p.want("GOAWAY 2147483647 NO_ERROR")
	p.request(3, true, "GET", "/") // it crosses the GOAWAY
	waitFor(t, func() bool { return r.backends[0].sessions.now.Load() == 2 })
	p.WritePing(true, [8]byte([]byte("h-drain.")))
	p.want("GOAWAY 3 NO_ERROR")
	close(release)
	got := map[string]bool{}
	for range 4 {
		got[p.next()] = true
	}
	for _, w := range []string{"HEADERS 1 200 false", `DATA 1 "hello" true`, "HEADERS 3 200 false", `DATA 3 "hello" true`} {
		if !got[w] {
			t.Errorf("no %s among %v", w, got)
		}
	}
	p.want("EOF")
	p.c.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestAWebSocketOverHTTP2(t *testing.T) {
	o := script(t, func(c net.Conn) {
		if !readHeadOf(c) {
			return
		}
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n")
		io.Copy(c, c)
	})
	r := serve(t, 1, section(o))
	p := dialH2(t, r)
	p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: p.fields(":method", "CONNECT", ":protocol", "websocket",
		":scheme", "http", ":path", "/chat", ":authority", "a", "sec-websocket-version", "13")})
	p.want("HEADERS 1 200 false")
	for _, word := range []string{"ping", "pong"} {
		p.WriteData(1, false, []byte(word))
		p.want(fmt.Sprintf("DATA 1 %q false", word))
	}
	p.WriteData(1, true, []byte("bye"))
	p.want(`DATA 1 "bye" false`, `DATA 1 "" true`)
	r.log.wait(t, `"GET http://a/chat HTTP/2.0"`)
}

func TestThePrefaceMayComeInPieces(t *testing.T) {
	r := serve(t, 1, section(script(t, says(five))))
	for split := 1; split < len(http2.ClientPreface); split += 5 {
		c := r.dial()
		c.SetDeadline(time.Now().Add(5 * time.Second))
		io.WriteString(c, http2.ClientPreface[:split])
		waitFor(t, func() bool { return r.conns.now.Load() > 0 })
		io.WriteString(c, http2.ClientPreface[split:])
		p := &h2raw{Framer: http2.NewFramer(c, c), t: t, c: c}
		p.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		p.enc = hpack.NewEncoder(&p.block)
		p.WriteSettings()
		p.request(1, true, "GET", "/")
		p.want("HEADERS 1 200 false", `DATA 1 "hello" true`)
		c.Close()
	}
	for _, first := range []string{"P", "PR", "PRI * HTTP/2.0\r\n"} { // and may turn out to be none
		c := r.dial()
		c.SetDeadline(time.Now().Add(5 * time.Second))
		io.WriteString(c, first)
		waitFor(t, func() bool { return r.conns.now.Load() > 0 })
		io.WriteString(c, "OST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
		b, _ := io.ReadAll(c)
		want := "HTTP/1.1 400 "
		if first == "P" {
			want = "HTTP/1.1 200 "
		}
		if first == "PR" {
			want = "HTTP/1.1 200 " // an unknown method
		}
		if !strings.HasPrefix(string(b), want) {
			t.Errorf("%q: got %.40q, want %q", first, b, want)
		}
	}
	c := r.dial()
	io.WriteString(c, "PRI")
	c.CloseWrite()
	r.log.wait(t, ` 400 0 - - CR-- `)
}

func TestWithoutTheUpgradeThePrefaceIsABadRequest(t *testing.T) {
	s := section(script(t, says(five)))
	s.DisableH2Upgrade = true
	r := serve(t, 1, s)
	if got := r.exchange(http2.ClientPreface); !strings.HasPrefix(got, "HTTP/1.1 400 ") {
		t.Errorf("got %q", got)
	}
}

func TestAFaultOfTheConnectionEndsAllItsStreams(t *testing.T) {
	r := serve(t, 1, section(script(t, mute)))
	p := dialH2(t, r)
	for i := range 10 {
		p.request(uint32(2*i+1), true, "GET", "/")
	}
	waitFor(t, func() bool { return r.backends[0].sessions.now.Load() == 10 })
	p.WriteRawFrame(http2.FramePing, 0, 1, make([]byte, 8))
	p.want("GOAWAY 19 PROTOCOL_ERROR", "EOF")
	p.c.Close()
	waitFor(t, func() bool { return r.backends[0].sessions.now.Load() == 0 && r.conns.now.Load() == 0 })
}

func TestAConnectionThatBreaksTakesItsStreamsAlong(t *testing.T) {
	r := serve(t, 1, section(script(t, mute)))
	p := dialH2(t, r)
	for i := range 10 {
		p.request(uint32(2*i+1), true, "GET", "/")
	}
	waitFor(t, func() bool { return r.backends[0].sessions.now.Load() == 10 })
	p.c.SetLinger(0)
	p.c.Close()
	waitFor(t, func() bool { return r.backends[0].sessions.now.Load() == 0 && r.conns.now.Load() == 0 })
}

func TestAStreamInTheQueueMayBeTakenBack(t *testing.T) {
	s := section(script(t, mute))
	s.Servers[0].MaxConn = 1
	r := serve(t, 1, s)
	p := dialH2(t, r)
	p.request(1, true, "GET", "/")
	waitFor(t, func() bool { return r.backends[0].targets[0].sessions.now.Load() == 1 })
	p.request(3, true, "GET", "/")
	waitFor(t, func() bool { return r.backends[0].line.n.now.Load() == 1 })
	p.WriteRSTStream(3, http2.ErrCodeCancel)
	waitFor(t, func() bool { return r.backends[0].line.n.now.Load() == 0 })
	r.log.wait(t, ` -1 0 - - CQ-- `)
}

// The end of the request under way gives its place to the one in the queue,
// which its client does not want any more either. The flags are HAProxy 2.6.12's.
func TestAClientThatLeavesWithARequestInTheQueueLeavesTheQueue(t *testing.T) {
	var conns atomic.Int32
	s := section(script(t, func(c net.Conn) { conns.Add(1); mute(c) }))
	s.Servers[0].MaxConn = 1
	r := serve(t, 1, s)
	p := dialH2(t, r)
	p.request(1, true, "GET", "/under-way")
	waitFor(t, func() bool { return conns.Load() == 1 })
	p.request(3, true, "GET", "/in-the-queue")
	waitFor(t, func() bool { return r.backends[0].line.n.now.Load() == 1 })
	var both bytes.Buffer
	f := http2.NewFramer(&both, nil)
	f.WriteRSTStream(1, http2.ErrCodeCancel)
	f.WriteRSTStream(3, http2.ErrCodeCancel)
	p.c.Write(both.Bytes())
	r.log.wait(t, ` web/s1 [0-9/]+/-1/[0-9]+ -1 0 - - CD-- .*/under-way`)
	r.log.wait(t, ` web/s1 0/[0-9]+/-1/-1/[0-9]+ -1 0 - - CQ-- .*/in-the-queue`)
	if n := r.backends[0].targets[0].tallies[0].connects.Load(); n != 1 {
		t.Errorf("%d connections to the server, want 1", n)
	}
}

// A client that opens its windows wide and never reads, and a server that
// never reads what is uploaded, cost no more than their windows.
func TestASlowPeerHoldsNoMoreThanItsWindows(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	o := script(t, func(c net.Conn) {
		if !readHeadOf(c) {
			return
		}
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
		for {
			if _, err := io.WriteString(c, big); err != nil {
				return
			}
		}
	})
	r := serve(t, 1, section(o))
	p := dialH2(t, r)
	p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1})
	p.WriteWindowUpdate(0, 1<<30)
	for i := range 50 {
		p.request(uint32(2*i+1), true, "GET", "/")
	}
	waitFor(t, func() bool { return r.backends[0].sessions.now.Load() == 50 })
	w := r.workers[0]
	held := func() (n int) {
		done := make(chan struct{})
		w.l.Post(func() {
			for c := w.open; c != nil; c = c.after {
				if c.x != nil {
					n += cap(c.x.down.pending)
				}
				if c.h2 != nil {
					n += len(c.h2.Out())
				}
			}
			close(done)
		})
		<-done
		return n
	}
	waitFor(t, func() bool { return held() > 64<<10 })
	most := 0
	for range 300 { // turns of the loop, in which it would go on taking
		most = max(most, held())
	}
	if most > 50*(80<<10)+200<<10 {
		t.Errorf("%d bytes are held for 50 streams", most)
	}
}

func TestAnHTTP2RequestForThePageIsServed(t *testing.T) {
	s := section()
	s.Stats = &settings.Stats{URI: "/stats"}
	r := serve(t, 1, s)
	resp, err := h2client(t).Get("http://" + r.addr + "/stats;csv")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 200 || !strings.HasPrefix(string(b), "# pxname") {
		t.Errorf("got %d %.60q", resp.StatusCode, b)
	}
}

func TestAMalformedHTTP2RequestIsLogged(t *testing.T) {
	r := serve(t, 1, section(script(t, says(five))))
	p := dialH2(t, r)
	p.request(1, true, "GET", "no-slash")
	p.want("RST 1 PROTOCOL_ERROR")
	r.log.wait(t, `web web/<NOSRV> -1/-1/-1/-1/0 0 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"`)
	p.request(3, true, "GET", "/")
	p.want("HEADERS 3 200 false", `DATA 3 "hello" true`)
}

// A server that answers before it has read, and hangs up, under bodies that
// keep coming in pieces.
func TestUploadsToAHastyServer(t *testing.T) {
	o := script(t, func(c net.Conn) {
		if readHeadOf(c) {
			io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		}
	})
	r := serve(t, 1, section(o))
	p := dialH2(t, r)
	go func() {
		block := make([]byte, 16384)
		for i := range 20 {
			id := uint32(2*i + 1)
			p.request(id, false, "POST", "/")
			p.WriteData(id, false, block)
			p.WriteData(id, false, block[:100])
			p.WriteData(id, true, block[:5000])
		}
	}()
	answered := 0
	for answered < 20 {
		f := p.next()
		if strings.HasPrefix(f, "HEADERS ") || strings.HasPrefix(f, "RST ") {
			answered++
		}
		if strings.HasPrefix(f, "GOAWAY") || f == "EOF" {
			t.Fatalf("%s after %d answers", f, answered)
		}
	}
}
