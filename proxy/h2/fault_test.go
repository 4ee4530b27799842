package h2

import (
	"strings"
	"testing"

	"golang.org/x/net/http2"
)

func TestFaultsOfTheConnectionEndIt(t *testing.T) {
	raw := func(kind http2.FrameType, flags http2.Flags, id uint32, p ...byte) func(*peer) {
		return func(c *peer) { c.WriteRawFrame(kind, flags, id, p) }
	}
	for _, tc := range []struct {
		name string
		do   func(p *peer)
		want string
	}{
		{"data on stream 0", raw(http2.FrameData, 0, 0, 'x'), "PROTOCOL_ERROR"},
		{"data on an idle stream", raw(http2.FrameData, 0, 1, 'x'), "PROTOCOL_ERROR"},
		{"data padded with nothing", raw(http2.FrameData, http2.FlagDataPadded, 1), "PROTOCOL_ERROR"},
		{"data all padding", func(p *peer) {
			p.get(1, false)
			p.WriteRawFrame(http2.FrameData, http2.FlagDataPadded, 1, []byte{3, 'x'})
		}, "PROTOCOL_ERROR"},
		{"a frame too large", func(p *peer) { p.get(1, false); p.WriteRawFrame(http2.FrameData, 0, 1, make([]byte, 16385)) }, "FRAME_SIZE_ERROR"},
		{"data beyond the connection's window", func(p *peer) {
			for i := range 6 {
				p.get(uint32(2*i+1), false)
			}
			p.run()
			p.took = false
			for i := range 40 {
				p.WriteData(uint32(2*(i%6)+1), false, make([]byte, 10000))
			}
		}, "FLOW_CONTROL_ERROR"},
		{"headers on stream 0", raw(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 0, 0x82), "PROTOCOL_ERROR"},
		{"headers on an even stream", raw(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 2, 0x82), "PROTOCOL_ERROR"},
		{"headers all padding", raw(http2.FrameHeaders, http2.FlagHeadersEndHeaders|http2.FlagHeadersPadded, 1, 9, 0x82), "PROTOCOL_ERROR"},
		{"headers on a stream passed over", func(p *peer) { p.get(5, true); p.get(3, true) }, "PROTOCOL_ERROR"},
		{"headers on a stream that has ended", func(p *peer) {
			p.get(1, true)
			p.run()
			p.answer(1, ok200)
			p.get(1, true)
		}, "STREAM_CLOSED"},
		{"another frame within a head", func(p *peer) {
			p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x82}})
			p.WritePing(false, [8]byte{})
		}, "PROTOCOL_ERROR"},
		{"a continuation of nothing", raw(http2.FrameContinuation, 0, 1, 0x82), "PROTOCOL_ERROR"},
		{"a head that breaks off", raw(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 1, 0x40, 5, 'a'), "COMPRESSION_ERROR"},
		{"priority of stream 0", raw(http2.FramePriority, 0, 0, 0, 0, 0, 0, 1), "PROTOCOL_ERROR"},
		{"a reset of 3 bytes", raw(http2.FrameRSTStream, 0, 1, 0, 0, 0), "FRAME_SIZE_ERROR"},
		{"a reset of an idle stream", raw(http2.FrameRSTStream, 0, 1, 0, 0, 0, 0), "PROTOCOL_ERROR"},
		{"settings of a stream", raw(http2.FrameSettings, 0, 1), "PROTOCOL_ERROR"},
		{"settings of 5 bytes", raw(http2.FrameSettings, 0, 0, 0, 4, 0, 0, 0), "FRAME_SIZE_ERROR"},
		{"an acknowledgement with settings", raw(http2.FrameSettings, http2.FlagSettingsAck, 0, 0, 4, 0, 0, 0, 0), "FRAME_SIZE_ERROR"},
		{"push allowed twice", raw(http2.FrameSettings, 0, 0, 0, 2, 0, 0, 0, 2), "PROTOCOL_ERROR"},
		{"a window of 2^31", raw(http2.FrameSettings, 0, 0, 0, 4, 0x80, 0, 0, 0), "FLOW_CONTROL_ERROR"},
		{"a window that makes another too wide", func(p *peer) {
			p.get(1, true)
			p.WriteWindowUpdate(1, 1<<30)
			p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1})
		}, "FLOW_CONTROL_ERROR"},
		{"frames of 16 MB", raw(http2.FrameSettings, 0, 0, 0, 5, 1, 0, 0, 0), "PROTOCOL_ERROR"},
		{"frames of 100 bytes", raw(http2.FrameSettings, 0, 0, 0, 5, 0, 0, 0, 100), "PROTOCOL_ERROR"},
		{"extended connect of 2", raw(http2.FrameSettings, 0, 0, 0, 8, 0, 0, 0, 2), "PROTOCOL_ERROR"},
		{"extended connect taken back", func(p *peer) {
			p.WriteSettings(http2.Setting{ID: 8, Val: 1})
			p.WriteSettings(http2.Setting{ID: 8, Val: 0})
		}, "PROTOCOL_ERROR"},
		{"a push", raw(http2.FramePushPromise, 0, 1, 0, 0, 0, 2), "PROTOCOL_ERROR"},
		{"a ping of a stream", raw(http2.FramePing, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0), "PROTOCOL_ERROR"},
		{"a ping of 7 bytes", raw(http2.FramePing, 0, 0, 0, 0, 0, 0, 0, 0, 0), "FRAME_SIZE_ERROR"},
		{"a farewell of a stream", raw(http2.FrameGoAway, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0), "PROTOCOL_ERROR"},
		{"a farewell of 7 bytes", raw(http2.FrameGoAway, 0, 0, 0, 0, 0, 0, 0, 0, 0), "FRAME_SIZE_ERROR"},
		{"a window update of 3 bytes", raw(http2.FrameWindowUpdate, 0, 0, 0, 0, 1), "FRAME_SIZE_ERROR"},
		{"a window update of nothing", raw(http2.FrameWindowUpdate, 0, 0, 0, 0, 0, 0), "PROTOCOL_ERROR"},
		{"a window too wide", raw(http2.FrameWindowUpdate, 0, 0, 0x7f, 0xff, 0xff, 0xff), "FLOW_CONTROL_ERROR"},
		{"a window update of an idle stream", raw(http2.FrameWindowUpdate, 0, 1, 0, 0, 0, 1), "PROTOCOL_ERROR"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newPeer(t, Config{ConnWindow: 65535})
			tc.do(p)
			p.run()
			if got := p.events(); !strings.HasSuffix("\n"+got, "\nbroken "+tc.want) {
				t.Errorf("got %.200s, want %s", got, tc.want)
			}
			if got := p.said(); !strings.Contains(got, "GOAWAY ") || !strings.HasSuffix(got, tc.want) {
				t.Errorf("said %.200s", got)
			}
			if ev, n := p.c.Next([]byte("more"), 1); ev.Kind != Broken || n != 4 {
				t.Errorf("afterwards: %v, %d", ev.Kind, n)
			}
		})
	}
}

func TestWhatIsNoHTTP2IsToldSo(t *testing.T) {
	for _, first := range []string{"GET / HTTP/1.1\r\n\r\n", Preface[:10] + "x", Preface + "\x00\x00\x08\x06\x00\x00\x00\x00\x00pingping",
		Preface + "\x00\x00\x00\x04\x01\x00\x00\x00\x00"} {
		var c Conn
		c.Start(Config{})
		var last Event
		for p := []byte(first); len(p) > 0; {
			ev, n := c.Next(p, 1)
			if last = ev; n == 0 {
				break
			}
			p = p[n:]
		}
		if last.Kind != Broken || last.Code != ProtocolError {
			t.Errorf("%q: got %v, %v", first, last.Kind, last.Code)
		}
	}
}

func TestMalformedResponsesAreRefusedAlone(t *testing.T) {
	head := func(p *peer, end bool, kv ...string) {
		p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: end, BlockFragment: p.fields(kv...)})
	}
	for _, tc := range []struct {
		name string
		do   func(p *peer)
		want string
	}{
		{"no status", func(p *peer) { head(p, true, "x", "y") }, "reset 1 PROTOCOL_ERROR"},
		{"a status of two digits", func(p *peer) { head(p, true, ":status", "20") }, "reset 1 PROTOCOL_ERROR"},
		{"a status that is no number", func(p *peer) { head(p, true, ":status", "2x0") }, "reset 1 PROTOCOL_ERROR"},
		{"a request's field", func(p *peer) { head(p, true, ":status", "200", ":path", "/") }, "reset 1 PROTOCOL_ERROR"},
		{"an interim that ends", func(p *peer) { head(p, true, ":status", "103") }, "reset 1 PROTOCOL_ERROR"},
		{"switching protocols", func(p *peer) { head(p, false, ":status", "101") }, "reset 1 PROTOCOL_ERROR"},
		{"a length and no body", func(p *peer) { head(p, true, ":status", "200", "content-length", "1") }, "reset 1 PROTOCOL_ERROR"},
		{"a body without a head", func(p *peer) { p.WriteData(1, true, []byte("x")) }, "reset 1 PROTOCOL_ERROR"},
		{"too long a head", func(p *peer) { head(p, true, ":status", "200", "x", strings.Repeat("v", 15400), "y", "z") }, "reset 1 PROTOCOL_ERROR"},
		{"a second head", func(p *peer) { head(p, false, ":status", "200"); head(p, false, ":status", "200") }, "reset 1 PROTOCOL_ERROR"},
		{"a head for nobody", func(p *peer) {
			p.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, EndHeaders: true, BlockFragment: []byte{0x88}})
		}, "broken PROTOCOL_ERROR"},
		{"a push", func(p *peer) { p.WriteRawFrame(http2.FramePushPromise, 0, 1, []byte{0, 0, 0, 2}) }, "broken PROTOCOL_ERROR"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newPeer(t, Config{Role: Client})
			p.c.Write(p.c.Open(), []byte("GET / HTTP/1.1\r\nhost: a\r\n\r\n"))
			p.said()
			tc.do(p)
			p.run()
			if got := p.events(); !strings.HasSuffix(got, tc.want) {
				t.Errorf("got %.200s, want %s", got, tc.want)
			}
		})
	}
}

func TestResponsesAreToldAsHTTP1(t *testing.T) {
	for _, tc := range []struct {
		request string
		fields  []string
		end     bool
		text    string
	}{
		{"GET / HTTP/1.1\r\n\r\n", []string{":status", "200", "content-length", "5"}, false, "HTTP/1.1 200 \r\ncontent-length: 5\r\n\r\n"},
		{"GET / HTTP/1.1\r\n\r\n", []string{":status", "200", "x", "y"}, false, "HTTP/1.1 200 \r\nx: y\r\ntransfer-encoding: chunked\r\n\r\n"},
		{"GET / HTTP/1.1\r\n\r\n", []string{":status", "200", "trailer", "x", "content-length", "5", "a", "b"}, false,
			"HTTP/1.1 200 \r\ntrailer: x\r\ncontent-length: 5\r\na: b\r\n\r\n"},
		{"GET / HTTP/1.1\r\n\r\n", []string{":status", "404"}, true, "HTTP/1.1 404 \r\ncontent-length: 0\r\n\r\n"},
		{"GET / HTTP/1.1\r\n\r\n", []string{":status", "304", "content-length", "9"}, true, "HTTP/1.1 304 \r\ncontent-length: 9\r\n\r\n"},
		{"HEAD / HTTP/1.1\r\n\r\n", []string{":status", "200", "content-length", "9"}, true, "HTTP/1.1 200 \r\ncontent-length: 9\r\n\r\n"},
		{"CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n", []string{":status", "200"}, false, "HTTP/1.1 200 \r\n\r\n"},
		{"GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", []string{":status", "200", "x", "y"}, false,
			"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nx: y\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"},
		{"GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n", []string{":status", "200", "x", "y"}, false,
			"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\nx: y\r\n\r\n"},
	} {
		p := newPeer(t, Config{Role: Client})
		p.WriteSettings(http2.Setting{ID: 8, Val: 1})
		p.run()
		if n, r := p.c.Write(p.c.Open(), []byte(tc.request)); n != len(tc.request) || r != Enough {
			t.Fatalf("%q: took %d, %v", tc.request, n, r)
		}
		p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: tc.end, BlockFragment: p.fields(tc.fields...)})
		ev, _ := p.c.Next(p.out.Bytes(), 1)
		if ev.Kind != HeadArrived || string(ev.Text) != tc.text {
			t.Errorf("%q: got %q, want %q", tc.request, ev.Text, tc.text)
		}
	}
}

func TestRequestsLeaveAsFrames(t *testing.T) {
	for request, want := range map[string]string{
		"PUT http://h:1/p?q HTTP/1.1\r\nhost: h:1\r\ncontent-length: 1\r\n\r\nx":    "HEADERS 1 [:method=PUT :scheme=http :authority=h:1 :path=/p?q content-length=1] false\nDATA 1 \"x\" true",
		"GET http://h HTTP/1.1\r\nhost: h\r\n\r\n":                                  "HEADERS 1 [:method=GET :scheme=http :authority=h :path=/] true",
		"GET ftp://h/x HTTP/1.1\r\nhost: h\r\n\r\n":                                 "HEADERS 1 [:method=GET :scheme=ftp :authority=h :path=/x] true",
		"OPTIONS * HTTP/1.1\r\nhost: h\r\nte: trailers\r\n\r\n":                     "HEADERS 1 [:method=OPTIONS :scheme=https :authority=h :path=* te=trailers] true",
		"CONNECT h:1 HTTP/1.1\r\nhost: h:1\r\n\r\nraw":                              "HEADERS 1 [:method=CONNECT :authority=h:1] false\nDATA 1 \"raw\" true",
		"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n": "HEADERS 1 [:method=POST :scheme=https :authority=h :path=/] false\nDATA 1 \"\" true",
	} {
		p := newPeer(t, Config{Role: Client})
		s := p.c.Open()
		if n, r := p.c.Write(s, []byte(request)); n != len(request) || r != Enough {
			t.Errorf("%q: took %d, %v", request, n, r)
		}
		p.c.WriteEnd(s)
		p.want(request, p.said(), want)
	}
	p := newPeer(t, Config{Role: Client})
	s := p.c.Open()
	s.Follow(&Inbound{scheme: "http"})
	p.c.Write(s, []byte("GET /p HTTP/1.1\r\nhost: h\r\n\r\n"))
	p.want("a request that came with a scheme", p.said(), "HEADERS 1 [:method=GET :scheme=http :authority=h :path=/p] true")
	if _, r := p.c.Write(p.c.Open(), []byte("GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")); r != Refused {
		t.Errorf("a WebSocket to a server that knows none: %v", r)
	}
}

func TestAConnThatIsAbandonedSaysNothing(t *testing.T) {
	p := newPeer(t, Config{})
	p.get(1, true)
	p.get(3, true)
	p.run()
	n := 0
	p.c.Abandon()
	p.c.Each(func(s *Stream) {
		n++
		if _, r := p.c.Write(s, []byte(ok200)); r != Refused {
			t.Errorf("a write is %v", r)
		}
		p.c.Close(s, InternalError)
	})
	p.c.Drain()
	p.c.Leave()
	if n != 2 || len(p.c.Out()) > 0 || p.c.Len() > 0 {
		t.Errorf("%d streams, %d bytes, %d left", n, len(p.c.Out()), p.c.Len())
	}
}

func TestABufferIsLentWhileThereIsSomethingToSay(t *testing.T) {
	p := newPeer(t, Config{})
	if got := p.c.TakeBack(); got == nil || !p.c.Bare() {
		t.Errorf("got a buffer of %d, bare %v", cap(got), p.c.Bare())
	}
	p.c.Lend(make([]byte, 0, 100))
	p.WritePing(false, [8]byte{})
	p.run()
	if p.c.TakeBack() != nil || p.c.Bare() || p.c.Stalled() {
		t.Error("the buffer went with something in it")
	}
	for range 600 {
		p.now += 1e9
		for range 13 {
			p.WritePing(false, [8]byte{})
		}
		p.run()
	}
	if !p.c.Stalled() {
		t.Errorf("%d bytes wait, and the peer is read from", len(p.c.Out()))
	}
}
