package proxy

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"herald/proxy/settings"
)

// h2origin is an HTTP/2 server in clear; it counts connections.
func h2origin(t *testing.T, h http.HandlerFunc) (addr string, conns *atomic.Int64) {
	t.Helper()
	conns = &atomic.Int64{}
	return script(t, func(c net.Conn) {
		conns.Add(1)
		(&http2.Server{}).ServeConn(c, &http2.ServeConnOpts{Handler: h})
	}), conns
}

// h2section is a section whose servers speak HTTP/2, and whose clients share
// connections to them from their first request on.
func h2section(servers ...string) *settings.Proxy {
	p := section(servers...)
	p.Reuse = settings.ReuseAlways
	for i := range p.Servers {
		p.Servers[i].Proto = "h2"
	}
	return p
}

func TestHTTP2ServersShareOneConnection(t *testing.T) {
	o, conns := h2origin(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Proto", r.Proto)
		w.Header().Set("X-Trailer", r.Trailer.Get("X-U"))
		w.Header().Set("Trailer", "X-T")
		w.Write(b)
		w.Header().Set("X-T", "v")
	})
	r := serve(t, 1, h2section(o))
	for name, cl := range map[string]*http.Client{"HTTP/1": {Transport: &http.Transport{}, Timeout: 20 * time.Second}, "HTTP/2": h2client(t)} {
		var wg sync.WaitGroup
		for _, size := range []int{0, 1, 1000, 16385, 70000, 3 << 20} {
			for _, chunked := range []bool{false, true} {
				wg.Go(func() {
					body := bytes.Repeat([]byte("x"), size)
					var reader io.Reader = bytes.NewReader(body)
					if chunked {
						reader = struct{ io.Reader }{reader}
					}
					req, _ := http.NewRequest("POST", "http://"+r.addr+"/", reader)
					if chunked && size > 0 {
						req.Trailer = http.Header{"X-U": {"u"}}
					}
					resp, err := cl.Do(req)
					if err != nil {
						t.Errorf("%s, %d bytes: %v", name, size, err)
						return
					}
					defer resp.Body.Close()
					got, err := io.ReadAll(resp.Body)
					trailed := size > 0 && (name == "HTTP/2" || resp.ContentLength < 0) // HTTP/1 has no other place
					if err != nil || !bytes.Equal(got, body) || resp.Header.Get("X-Proto") != "HTTP/2.0" || trailed != (resp.Trailer.Get("X-T") == "v") {
						t.Errorf("%s, %d bytes: got %d, %v, %v, %v", name, size, len(got), err, resp.Header, resp.Trailer)
					}
					if chunked && size > 0 && resp.Header.Get("X-Trailer") != "u" {
						t.Errorf("%s, %d bytes: the request's trailer is lost", name, size)
					}
				})
			}
		}
		wg.Wait()
		cl.CloseIdleConnections()
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections to the server, want 1", n)
	}
}

func TestAnIdleConnectionToAnHTTP2ServerEnds(t *testing.T) {
	gone := make(chan struct{})
	o := script(t, func(c net.Conn) {
		(&http2.Server{}).ServeConn(c, &http2.ServeConnOpts{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})})
		close(gone)
	})
	p := h2section(o)
	p.Servers[0].Pool.Purge = 50 * time.Millisecond
	r := serve(t, 1, p)
	if got := r.exchange("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Errorf("got %q", got)
	}
	<-gone
}

// h2script answers frames by hand. It has read the preface.
func h2script(t *testing.T, f func(fr *http2.Framer, enc func(kv ...string) []byte)) string {
	return script(t, func(c net.Conn) {
		io.ReadFull(c, make([]byte, len(http2.ClientPreface)))
		fr := http2.NewFramer(c, c)
		fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		var block bytes.Buffer
		enc := hpack.NewEncoder(&block)
		fr.WriteSettings()
		f(fr, func(kv ...string) []byte {
			block.Reset()
			for i := 0; i < len(kv); i += 2 {
				enc.WriteField(hpack.HeaderField{Name: kv[i], Value: kv[i+1]})
			}
			return block.Bytes()
		})
		io.Copy(io.Discard, c)
	})
}

// awaitHead reads until a request has come.
func awaitHead(fr *http2.Framer) *http2.MetaHeadersFrame {
	for {
		f, err := fr.ReadFrame()
		if err != nil {
			return nil
		}
		if h, ok := f.(*http2.MetaHeadersFrame); ok {
			return h
		}
	}
}

func TestTheEndsOfAStreamToAServerAreThoseOfAResponse(t *testing.T) {
	head := func(fr *http2.Framer, enc func(...string) []byte, id uint32, end bool, kv ...string) {
		fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, EndHeaders: true, EndStream: end, BlockFragment: enc(kv...)})
	}
	type frames = func(fr *http2.Framer, enc func(...string) []byte)
	for _, tc := range []struct {
		name   string
		server frames
		answer string
		log    string
	}{
		{"empty", func(fr *http2.Framer, enc func(...string) []byte) {
			head(fr, enc, awaitHead(fr).StreamID, true, ":status", "200")
		}, "HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n", ` 200 [0-9]+ - - ---- `},
		{"no content", func(fr *http2.Framer, enc func(...string) []byte) {
			head(fr, enc, awaitHead(fr).StreamID, true, ":status", "204", "x", "y")
		}, "HTTP/1.1 204 \r\nx: y\r\n\r\n", ` 204 [0-9]+ - - ---- `},
		{"chunks", func(fr *http2.Framer, enc func(...string) []byte) {
			id := awaitHead(fr).StreamID
			head(fr, enc, id, false, ":status", "200")
			fr.WriteData(id, true, []byte("hello"))
		}, "HTTP/1.1 200 \r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", ` 200 [0-9]+ - - ---- `},
		{"interim", func(fr *http2.Framer, enc func(...string) []byte) {
			id := awaitHead(fr).StreamID
			head(fr, enc, id, false, ":status", "103", "link", "x")
			head(fr, enc, id, true, ":status", "200")
		}, "HTTP/1.1 103 \r\nlink: x\r\n\r\nHTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n", ` 200 [0-9]+ - - ---- `},
		{"reset before the head", func(fr *http2.Framer, enc func(...string) []byte) {
			fr.WriteRSTStream(awaitHead(fr).StreamID, http2.ErrCodeInternal)
		}, "HTTP/1.1 502 ", ` 502 [0-9]+ - - SH-- `},
		{"reset in the body", func(fr *http2.Framer, enc func(...string) []byte) {
			id := awaitHead(fr).StreamID
			head(fr, enc, id, false, ":status", "200", "content-length", "10")
			fr.WriteData(id, false, []byte("hello"))
			fr.WriteRSTStream(id, http2.ErrCodeInternal)
		}, "HTTP/1.1 200 \r\ncontent-length: 10\r\n\r\nhello", ` 200 [0-9]+ - - SD-- `},
		{"a length that is not kept", func(fr *http2.Framer, enc func(...string) []byte) {
			id := awaitHead(fr).StreamID
			head(fr, enc, id, false, ":status", "200", "content-length", "3")
			fr.WriteData(id, true, []byte("hello"))
		}, "HTTP/1.1 200 \r\ncontent-length: 3\r\n\r\n", ` 200 [0-9]+ - - SD-- `},
		{"a malformed head", func(fr *http2.Framer, enc func(...string) []byte) {
			head(fr, enc, awaitHead(fr).StreamID, true, ":status", "200", "connection", "close")
		}, "HTTP/1.1 502 ", ` 502 [0-9]+ - - SH-- `},
		{"a fault of the connection", func(fr *http2.Framer, enc func(...string) []byte) {
			awaitHead(fr)
			fr.WriteRawFrame(http2.FramePing, 0, 1, make([]byte, 8))
		}, "HTTP/1.1 502 ", ` 502 [0-9]+ - - SH-- `},
		{"silence", func(fr *http2.Framer, enc func(...string) []byte) {}, "HTTP/1.1 504 ", ` 504 [0-9]+ - - sH-- `},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := h2section(h2script(t, tc.server))
			quick(p)
			r := serve(t, 1, p)
			c := r.dial()
			io.WriteString(c, get)
			b := make([]byte, 4096)
			n := 0
			c.SetReadDeadline(time.Now().Add(5 * time.Second))
			for n < len(tc.answer) {
				k, err := c.Read(b[n:])
				n += k
				if err != nil {
					break
				}
			}
			if got := string(b[:n]); !strings.HasPrefix(got, tc.answer) {
				t.Errorf("answer: got %q, want %q", got, tc.answer)
			}
			r.log.wait(t, tc.log)
			waitFor(t, func() bool { return r.backends[0].sessions.now.Load() == 0 })
		})
	}
}

func TestAnHTTP2ServerThatRefusesConnections(t *testing.T) {
	p := h2section("127.0.0.1:1")
	quick(p)
	r := serve(t, 1, p)
	if got := r.exchange(get); !strings.HasPrefix(got, "HTTP/1.1 503 ") {
		t.Errorf("got %q", got)
	}
	r.log.wait(t, ` 503 [0-9]+ - - SC-- `)
}

func TestAnHTTP2ServerThatLeavesGetsNoNewRequests(t *testing.T) {
	var conns atomic.Int64
	o := h2script(t, func(fr *http2.Framer, enc func(...string) []byte) {
		n := conns.Add(1)
		for {
			h := awaitHead(fr)
			if h == nil {
				return
			}
			if n == 1 && h.StreamID == 3 { // not begun
				fr.WriteGoAway(1, http2.ErrCodeNo, nil)
				return
			}
			fr.WriteHeaders(http2.HeadersFrameParam{StreamID: h.StreamID, EndHeaders: true, EndStream: true, BlockFragment: enc(":status", "200")})
		}
	})
	r := serve(t, 1, h2section(o))
	for range 4 {
		if got := r.exchange("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
			t.Errorf("got %q", got)
		}
	}
	if n := conns.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

func TestARequestThatAnHTTP2ServerHasNotBegunIsRepeated(t *testing.T) {
	for name, refuse := range map[string]func(fr *http2.Framer, id uint32){
		"refused": func(fr *http2.Framer, id uint32) { fr.WriteRSTStream(id, http2.ErrCodeRefusedStream) },
		"goaway":  func(fr *http2.Framer, id uint32) { fr.WriteGoAway(id-2, http2.ErrCodeNo, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			var seen atomic.Int64
			o := h2script(t, func(fr *http2.Framer, enc func(...string) []byte) {
				for {
					h := awaitHead(fr)
					if h == nil {
						return
					}
					if seen.Add(1) == 2 {
						refuse(fr, h.StreamID)
						continue
					}
					fr.WriteHeaders(http2.HeadersFrameParam{StreamID: h.StreamID, EndHeaders: true, EndStream: true, BlockFragment: enc(":status", "200")})
				}
			})
			r := serve(t, 1, h2section(o))
			for range 3 {
				if got := r.exchange("POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi"); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
					t.Errorf("got %q", got)
				}
			}
			if n := seen.Load(); n != 4 {
				t.Errorf("%d requests were seen, want 4", n)
			}
		})
	}
}

func TestAClientThatLeavesCancelsItsStreamAlone(t *testing.T) {
	told := make(chan string, 10)
	o := h2script(t, func(fr *http2.Framer, enc func(...string) []byte) {
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			switch f := f.(type) {
			case *http2.MetaHeadersFrame:
				told <- fmt.Sprintf("begun %d", f.StreamID)
			case *http2.RSTStreamFrame:
				told <- fmt.Sprintf("%v %d", f.ErrCode, f.StreamID)
			}
		}
	})
	r := serve(t, 1, h2section(o))
	p := dialH2(t, r)
	p.request(1, true, "GET", "/")
	if got := <-told; got != "begun 1" {
		t.Fatal(got)
	}
	p.request(3, true, "GET", "/")
	if got := <-told; got != "begun 3" {
		t.Fatal(got)
	}
	p.WriteRSTStream(1, http2.ErrCodeCancel)
	if got := <-told; got != "CANCEL 1" {
		t.Error(got)
	}
}

func TestAWebSocketToAnHTTP2Server(t *testing.T) {
	o := script(t, func(c net.Conn) {
		io.ReadFull(c, make([]byte, len(http2.ClientPreface)))
		fr := http2.NewFramer(c, c)
		fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		fr.WriteSettings(http2.Setting{ID: 8, Val: 1})
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			switch f := f.(type) {
			case *http2.MetaHeadersFrame:
				if f.PseudoValue("method") == "GET" {
					fr.WriteHeaders(http2.HeadersFrameParam{StreamID: f.StreamID, EndHeaders: true, EndStream: true, BlockFragment: []byte{0x88}})
					continue
				}
				if f.PseudoValue("protocol") != "websocket" {
					t.Errorf("%v", f.Fields)
				}
				fr.WriteHeaders(http2.HeadersFrameParam{StreamID: f.StreamID, EndHeaders: true, BlockFragment: []byte{0x88}})
			case *http2.DataFrame:
				fr.WriteData(f.StreamID, f.StreamEnded(), f.Data())
			}
		}
	})
	r := serve(t, 1, h2section(o))
	if got := r.exchange("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 ") { // its settings have come
		t.Fatalf("got %q", got)
	}
	c := r.dial()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	io.WriteString(c, "GET /chat HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	b := make([]byte, 1000)
	n, _ := c.Read(b)
	if got := strings.ToLower(string(b[:n])); !strings.HasPrefix(got, "http/1.1 101 ") || !strings.Contains(got, "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=") {
		t.Fatalf("got %q", b[:n])
	}
	io.WriteString(c, "ping")
	if n, err := io.ReadFull(c, b[:4]); string(b[:n]) != "ping" {
		t.Errorf("got %q, %v", b[:n], err)
	}
	c.CloseWrite()
	if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil {
		t.Errorf("got %q, %v", rest, err)
	}
}

func TestAWebSocketToAnHTTP2ServerThatKnowsNone(t *testing.T) {
	o, _ := h2origin(t, func(http.ResponseWriter, *http.Request) {})
	r := serve(t, 1, h2section(o))
	got := r.exchange("GET /chat HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 502 ") {
		t.Errorf("got %q", got)
	}
}

func TestAWebSocketInHTTP1ToAServerThatSpeaksHTTP2(t *testing.T) {
	o := script(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		if first, _ := in.Peek(3); string(first) == "PRI" {
			(&http2.Server{}).ServeConn(&peeked{c, in}, &http2.ServeConnOpts{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})})
			return
		}
		if readHeadOf(&peeked{c, in}) {
			io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
			io.Copy(c, in)
		}
	})
	p := h2section(o)
	p.Servers[0].WebSockets = settings.WebSocketsH1
	r := serve(t, 1, p)
	plain := "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
	if got := r.exchange(plain); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Fatalf("got %q", got)
	}
	c := dialH2(t, r)
	c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: c.fields(":method", "CONNECT", ":protocol", "websocket",
		":scheme", "http", ":path", "/chat", ":authority", "a")})
	c.want("HEADERS 1 200 false")
	c.WriteData(1, false, []byte("ping"))
	c.want(`DATA 1 "ping" false`)
	if got := r.exchange(plain); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Errorf("got %q", got)
	}
}

// peeked is a connection of which some was read.
type peeked struct {
	net.Conn
	in *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) { return p.in.Read(b) }

func TestAnHTTP2ServerThatMovesIsNotAskedWhereItWas(t *testing.T) {
	says := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text) }
	}
	old, _ := h2origin(t, says("old"))
	moved, _ := h2origin(t, says("new"))
	r := serve(t, 1, h2section(old))
	ask := func(want string) {
		t.Helper()
		if got := r.exchange("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"); !strings.HasSuffix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	ask("old")
	host, port, _ := net.SplitHostPort(moved)
	n, _ := strconv.Atoi(port)
	if err := r.SetServerAddr("web", "s1", host, n); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	r.workers[0].l.Post(func() { close(done) }) // behind what the command posted
	<-done
	ask("new")
}

// Which protocol is spoken was seen on HAProxy 2.6.12.
func TestWebSocketsGoByTheProtocolOfTheirOwn(t *testing.T) {
	o := script(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		q, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		sum := sha1.Sum([]byte(q.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: "+
			base64.StdEncoding.EncodeToString(sum[:])+"\r\n\r\n")
		io.Copy(c, in)
	})
	both := []string{"h2", "http/1.1"}
	for name, tc := range map[string]struct {
		ws    settings.WebSockets
		proto string
		tls   bool
		alpn  []string
		want  string
	}{
		"auto":                    {settings.WebSocketsAuto, "", false, nil, "1.1"},
		"auto, proto h2":          {settings.WebSocketsAuto, "h2", false, nil, "2.0"},
		"auto, the server's will": {settings.WebSocketsAuto, "", true, both, "1.1"},
		"auto, h2 alone":          {settings.WebSocketsAuto, "", true, []string{"h2"}, "2.0"},
		"h1, proto h2":            {settings.WebSocketsH1, "h2", false, nil, "1.1"},
		"h1, the server's will":   {settings.WebSocketsH1, "", true, both, "1.1"},
		"h2":                      {settings.WebSocketsH2, "", false, nil, "2.0"},
		"h2, the server's will":   {settings.WebSocketsH2, "", true, both, "2.0"},
		"h2 in TLS":               {settings.WebSocketsH2, "", true, nil, "2.0"},
	} {
		t.Run(name, func(t *testing.T) {
			q := section(o)
			if tc.tls {
				encrypted(q, func(b *settings.BindTLS) { b.ALPN = both })
			}
			server := serve(t, 1, q)
			p := section(server.addr)
			s := &p.Servers[0]
			s.WebSockets, s.Proto = tc.ws, tc.proto
			if tc.tls {
				s.TLS = &settings.ServerTLS{TLS: settings.TLS{On: true, Verify: settings.VerifyNone, ALPN: tc.alpn}}
			}
			c := serve(t, 1, p).dial()
			io.WriteString(c, "GET /chat HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
			in := bufio.NewReader(c)
			resp, err := http.ReadResponse(in, nil)
			if err != nil || resp.StatusCode != 101 || resp.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
				t.Fatalf("got %+v, %v", resp, err)
			}
			io.WriteString(c, "ping")
			echo := make([]byte, 4)
			if _, err := io.ReadFull(in, echo); err != nil || string(echo) != "ping" {
				t.Errorf("got %q, %v", echo, err)
			}
			c.Close()
			server.log.wait(t, `/chat HTTP/`+tc.want+`"`)
		})
	}
}
