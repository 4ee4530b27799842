package h2

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/http2"
)

func TestRequestsAreToldAsHTTP1(t *testing.T) {
	base := []string{":method", "GET", ":scheme", "https", ":path", "/p?q=1", ":authority", "a:8"}
	for name, tc := range map[string]struct {
		fields []string
		end    bool
		text   string
		line   string
	}{
		"plain":              {append(base, "x-a", "b"), true, "GET /p?q=1 HTTP/1.1\r\nhost: a:8\r\nx-a: b\r\n\r\n", "GET https://a:8/p?q=1 HTTP/2.0"},
		"crumbs":             {append(base, "cookie", "a=1", "x", "y", "cookie", "b=2"), true, "GET /p?q=1 HTTP/1.1\r\nhost: a:8\r\nx: y\r\ncookie: a=1; b=2\r\n\r\n", ""},
		"with a body":        {append(base, "content-length", "3"), false, "GET /p?q=1 HTTP/1.1\r\nhost: a:8\r\ncontent-length: 3\r\n\r\n", ""},
		"of no length":       {base, false, "GET /p?q=1 HTTP/1.1\r\nhost: a:8\r\ntransfer-encoding: chunked\r\n\r\n", ""},
		"no authority":       {[]string{":method", "GET", ":scheme", "http", ":path", "/", "host", "h"}, true, "GET / HTTP/1.1\r\nhost: h\r\n\r\n", "GET / HTTP/2.0"},
		"asterisk":           {[]string{":method", "OPTIONS", ":scheme", "http", ":path", "*", ":authority", "a"}, true, "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", "OPTIONS http://a HTTP/2.0"},
		"connect":            {[]string{":method", "CONNECT", ":authority", "a:1"}, false, "CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n", "CONNECT a:1 HTTP/2.0"},
		"websocket":          {[]string{":method", "CONNECT", ":protocol", "websocket", ":scheme", "https", ":path", "/c", ":authority", "a", "sec-websocket-version", "13"}, false, "GET /c HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: BwcHBwcHBwcHBwcHBwcHBw==\r\n\r\n", "GET https://a/c HTTP/2.0"},
		"trailers announced": {append(base, "content-length", "3", "trailer", "x"), false, "GET /p?q=1 HTTP/1.1\r\nhost: a:8\r\ncontent-length: 3\r\ntrailer: x\r\n\r\n", ""},
		"length twice":       {append(base, "content-length", "3", "content-length", "3"), false, "GET /p?q=1 HTTP/1.1\r\nhost: a:8\r\ncontent-length: 3\r\n\r\n", ""},
		"te of trailers":     {append(base, "te", "trailers"), true, "GET /p?q=1 HTTP/1.1\r\nhost: a:8\r\nte: trailers\r\n\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, Config{Scratch: &Scratch{Chance: func(b []byte) { copy(b, strings.Repeat("\x07", len(b))) }}})
			p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: tc.end, BlockFragment: p.fields(tc.fields...)})
			ev, _ := p.c.Next(p.out.Bytes(), 1)
			if ev.Kind != HeadArrived || string(ev.Text) != tc.text || ev.End != tc.end {
				t.Errorf("got %v %q %v, want %q", ev.Kind, ev.Text, ev.End, tc.text)
			}
			if tc.line != "" && string(ev.Data) != tc.line {
				t.Errorf("logged as %q, want %q", ev.Data, tc.line)
			}
		})
	}
}

func TestMalformedRequestsAreRefusedAlone(t *testing.T) {
	base := []string{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a"}
	for name, fields := range map[string][]string{
		"connection":                   append(base, "connection", "close"),
		"keep-alive":                   append(base, "keep-alive", "x"),
		"proxy-connection":             append(base, "proxy-connection", "x"),
		"transfer-encoding":            append(base, "transfer-encoding", "chunked"),
		"upgrade":                      append(base, "upgrade", "h2c"),
		"te":                           append(base, "te", "gzip"),
		"length that is none":          append(base, "content-length", "+1"),
		"empty length":                 append(base, "content-length", ""),
		"a length too large":           append(base, "content-length", "9223372036854775808"),
		"two lengths":                  append(base, "content-length", "1", "content-length", "2"),
		"a length and no body":         append(base, "content-length", "1"),
		"protocol without connect":     append([]string{":protocol", "websocket"}, base...),
		"connect with a path":          {":method", "CONNECT", ":path", "/", ":authority", "a"},
		"connect without authority":    {":method", "CONNECT"},
		"extended connect, no path":    {":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":authority", "a"},
		"status":                       append([]string{":status", "200"}, base...),
		"pseudo-header field of none":  append([]string{":x", "y"}, base...),
		"pseudo-header field too late": append(base, "x", "y", ":path", "/"),
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, Config{})
			p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: p.fields(fields...)})
			p.get(3, true)
			p.run()
			p.want("said", p.said(), "RST 1 PROTOCOL_ERROR")
			p.want("events", p.events(), `head 3 "GET / HTTP/1.1\r\nhost: a\r\n\r\n" true`)
		})
	}
}

func TestBodiesArriveWithTheirTrailers(t *testing.T) {
	for _, size := range []int{1, 7, 1 << 20} {
		p := newPeer(t, Config{})
		p.get(1, false)
		p.WriteDataPadded(1, false, []byte("hello "), make([]byte, 3))
		p.WriteData(1, false, []byte("world"))
		p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: p.fields("x-t", "v", "content-length", "3")})
		p.run(size)
		var body string
		for _, l := range strings.Split(p.events(), "\n")[1:] {
			var id int
			var data, trailers string
			var end bool
			fmt.Sscanf(l, "data %d %q %q %v", &id, &data, &trailers, &end)
			body += data
			if end && trailers != "x-t: v\r\n" {
				t.Errorf("trailers %q", trailers)
			}
		}
		if body != "hello world" || !p.stream(1).Ended() {
			t.Errorf("in pieces of %d: got %q, ended %v", size, body, p.stream(1).Ended())
		}
	}
}

func TestALengthMustBeKept(t *testing.T) {
	for name, frames := range map[string]func(p *peer){
		"more": func(p *peer) { p.WriteData(1, false, []byte("abcd")) },
		"less": func(p *peer) { p.WriteData(1, true, []byte("ab")) },
		"less, with trailers": func(p *peer) {
			p.WriteData(1, false, []byte("ab"))
			p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: p.fields("x", "y")})
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, Config{})
			p.get(1, false, "content-length", "3")
			frames(p)
			p.run()
			if got := p.events(); !strings.HasSuffix(got, "reset 1 PROTOCOL_ERROR") {
				t.Errorf("got %s", got)
			}
			p.want("said", p.said(), "RST 1 PROTOCOL_ERROR")
		})
	}
}

func TestResponsesLeaveAsFrames(t *testing.T) {
	for name, tc := range map[string]struct{ text, frames string }{
		"of a length":     {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nconnection: close\r\n\r\nok", "HEADERS 1 [:status=200 content-length=2] false\nDATA 1 \"ok\" true"},
		"empty":           {"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nkeep-alive: x\r\n\r\n", "HEADERS 1 [:status=404 content-length=0] true"},
		"of a rare code":  {"HTTP/1.1 418 Teapot\r\ncontent-length: 0\r\n\r\n", "HEADERS 1 [:status=418 content-length=0] true"},
		"in chunks":       {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", "HEADERS 1 [:status=200] false\nDATA 1 \"abc0123456789\" true"},
		"with trailers":   {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-T: v\r\n\r\n", "HEADERS 1 [:status=200] false\nDATA 1 \"a\" false\nHEADERS 1 [x-t=v] true"},
		"after an early":  {"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", "HEADERS 1 [:status=103 link=x] false\nHEADERS 1 [:status=204] true"},
		"until the close": {"HTTP/1.1 200 OK\r\n\r\nabc", "HEADERS 1 [:status=200] false\nDATA 1 \"abc\" true"},
		"cut off":         {"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc", "HEADERS 1 [:status=200 content-length=5] false\nDATA 1 \"abc\" false\nRST 1 INTERNAL_ERROR"},
		"chunks cut off":  {"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc", "HEADERS 1 [:status=200] false\nDATA 1 \"abc\" false\nRST 1 INTERNAL_ERROR"},
	} {
		t.Run(name, func(t *testing.T) {
			for size := 1; size <= len(tc.text); size += 3 {
				p := newPeer(t, Config{})
				p.get(1, true)
				p.run()
				s := p.stream(1)
				head := strings.LastIndex(tc.text, "\r\n\r\nHTTP/") // heads are written whole
				head = max(head, 0) + 4
				head += strings.Index(tc.text[head:], "\r\n\r\n") + 4
				if strings.HasSuffix(tc.text, "\r\n\r\n") && !strings.Contains(tc.text, "0\r\n") || head > len(tc.text) {
					head = len(tc.text)
				}
				write := func(text string) {
					if n, r := p.c.Write(s, []byte(text)); n != len(text) || r != Enough {
						t.Fatalf("took %d of %q, %v", n, text, r)
					}
				}
				write(tc.text[:head])
				for rest := tc.text[head:]; rest != ""; {
					n := min(size, len(rest))
					write(rest[:n])
					rest = rest[n:]
				}
				p.c.WriteEnd(s)
				p.c.Close(s, InternalError)
				if got := p.said(); got != tc.frames {
					t.Fatalf("in pieces of %d:\ngot  %s\nwant %s", size, got, tc.frames)
				}
			}
		})
	}
}

func TestAWebSocketIsGrantedWith200(t *testing.T) {
	p := newPeer(t, Config{})
	p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: p.fields(":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":path", "/", ":authority", "a")})
	p.run()
	s := p.stream(1)
	p.c.Write(s, []byte("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: x\r\nsec-websocket-protocol: p\r\n\r\nhi"))
	p.c.WriteEnd(s)
	p.want("said", p.said(), "HEADERS 1 [:status=200 sec-websocket-protocol=p] false\nDATA 1 \"hi\" true")
}

func TestALongHeadIsWrittenInSeveralFrames(t *testing.T) {
	p := newPeer(t, Config{})
	p.get(1, true)
	p.run()
	v := strings.Repeat("v", 20000)
	p.answer(1, "HTTP/1.1 200 OK\r\nx: "+v+"\r\ncontent-length: 0\r\n\r\n")
	p.want("said", p.said(), "HEADERS 1 [:status=200 x="+v+" content-length=0] true")
}

func TestInboundTextIsTheSameHoweverItIsRead(t *testing.T) {
	for size := 1; size < 40; size++ {
		var b Inbound
		b.start(asChunks)
		data := []byte("hello world")
		var got []byte
		read := func() {
			for {
				p := make([]byte, size)
				n, used := b.Read(p, data)
				data = data[used:]
				got = append(got, p[:n]...)
				if n == 0 {
					return
				}
			}
		}
		read()
		data = []byte("!")
		b.End([]byte("x: y\r\n"))
		read()
		if want := "b\r\nhello world\r\n1\r\n!\r\n0\r\nx: y\r\n\r\n"; string(got) != want || !b.Finished() || b.Waiting() {
			t.Fatalf("in pieces of %d: got %q, finished %v", size, got, b.Finished())
		}
	}
}

func TestWindowsAreGivenBackAsTheyAreUsed(t *testing.T) {
	p := newPeer(t, Config{})
	p.took = false
	p.get(1, false)
	block := make([]byte, 16000)
	for range 4 {
		p.WriteData(1, false, block)
	}
	p.run()
	s := p.stream(1)
	p.want("nothing taken", p.said(), "")
	p.c.Taken(s, 33000)
	p.want("half taken", p.said(), "WINDOW 1 33000")
	p.WriteData(1, false, make([]byte, 16001)) // 1535 were left, 33000 came back
	p.WriteData(1, false, make([]byte, 16001))
	p.WriteData(1, false, make([]byte, 16001))
	p.events()
	p.run()
	if got := p.events(); !strings.HasSuffix(got, "reset 1 FLOW_CONTROL_ERROR") {
		t.Errorf("beyond the window: got %.300s", got)
	}
}

func TestTheConnectionWindowComesBackFromStreamsThatEnd(t *testing.T) {
	p := newPeer(t, Config{ConnWindow: 100000})
	p.took = false
	for i := range 50 {
		id := uint32(2*i + 1)
		p.get(id, false)
		p.WriteData(id, false, make([]byte, 16000))
		p.run()
		p.c.Close(p.stream(id), InternalError)
		p.WriteData(id, true, make([]byte, 16000)) // it was under way
		p.run()
		if p.c.broken {
			t.Fatalf("after %d streams: %s", i, p.events())
		}
		p.c.Sent(len(p.c.Out()))
	}
}

func TestDrainingServesWhatWasUnderWay(t *testing.T) {
	p := newPeer(t, Config{})
	p.get(1, true)
	p.run()
	p.c.Drain()
	p.want("drain", p.said(), "GOAWAY 2147483647 NO_ERROR\nPING \"h-drain.\" false")
	p.get(3, true)
	p.WritePing(true, [8]byte([]byte(pingOfDrain)))
	p.events()
	p.run()
	p.want("events", p.events(), "head 3 \"GET / HTTP/1.1\\r\\nhost: a\\r\\n\\r\\n\" true\ndrained")
	p.c.Leave()
	p.want("leave", p.said(), "GOAWAY 3 NO_ERROR")
	p.get(5, true)
	p.run()
	p.want("too late", p.events(), "")
	p.answer(1, ok200)
	p.answer(3, ok200)
	if p.c.Len() != 0 || !p.c.Leaving() {
		t.Errorf("%d streams left", p.c.Len())
	}
}

// A Conn as client and one as server carry a request and its response through.
func TestTwoConnsUnderstandEachOther(t *testing.T) {
	var front, back Conn
	front.Start(Config{Role: Client})
	back.Start(Config{Role: Server})
	var atBack, atFront []string
	pass := func(from, to *Conn, found *[]string) {
		p := append([]byte(nil), from.Out()...)
		from.Sent(len(p))
		for len(p) > 0 {
			ev, n := to.Next(p, 1)
			p = p[n:]
			switch ev.Kind {
			case HeadArrived:
				*found = append(*found, string(ev.Text))
				ev.Stream.Owner = ev.Stream
			case DataArrived:
				if ev.End {
					ev.Stream.In.End(ev.Text)
				}
				text := make([]byte, 1000)
				n, _ := ev.Stream.In.Read(text, ev.Data)
				*found = append(*found, string(text[:n]))
			case Broken, ResetByPeer:
				t.Fatalf("%v %v", ev.Kind, ev.Code)
			}
		}
	}
	pass(&front, &back, &atBack)
	pass(&back, &front, &atFront)
	s := front.Open()
	front.Write(s, []byte("POST http://h:1?q HTTP/1.1\r\nhost: h:1\r\nx-a: b\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-t: v\r\n\r\n"))
	pass(&front, &back, &atBack)
	want := []string{"POST /?q HTTP/1.1\r\nhost: h:1\r\nx-a: b\r\ntransfer-encoding: chunked\r\n\r\n", "3\r\nabc\r\n", "0\r\nx-t: v\r\n\r\n"}
	if fmt.Sprintf("%q", atBack) != fmt.Sprintf("%q", want) {
		t.Errorf("the request: got %q, want %q", atBack, want)
	}
	back.Write(back.streams[s.ID], []byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"))
	pass(&back, &front, &atFront)
	want = []string{"HTTP/1.1 100 \r\n\r\n", "HTTP/1.1 200 \r\ncontent-length: 2\r\n\r\n", "ok"}
	if fmt.Sprintf("%q", atFront) != fmt.Sprintf("%q", want) {
		t.Errorf("the response: got %q, want %q", atFront, want)
	}
	if !s.Ended() || !s.over {
		t.Errorf("ended %v, over %v", s.Ended(), s.over)
	}
}

func TestABodyThatNobodyWantsIsThrownAwayThenDeclined(t *testing.T) {
	p := newPeer(t, Config{})
	p.get(1, false)
	p.run()
	p.events()
	p.answer(1, ok200)
	p.want("said", p.said(), "HEADERS 1 [:status=200 content-length=2] false\nDATA 1 \"ok\" true")
	p.WriteData(1, false, make([]byte, 16000))
	p.WriteData(1, false, make([]byte, 16000))
	p.WriteData(1, false, make([]byte, 16000))
	p.run()
	p.want("said of some", p.said(), "")
	p.WriteData(1, false, make([]byte, 16000))
	p.WriteData(1, false, make([]byte, 1))
	p.run()
	p.want("said of more", p.said(), "RST 1 NO_ERROR")
	p.WriteRSTStream(1, http2.ErrCodeCancel)
	p.WriteData(1, false, []byte("x"))
	p.run()
	p.want("said after the peer's reset", p.said(), "RST 1 STREAM_CLOSED")
	p.want("found", p.events(), "")
	if p.c.Len() != 0 || len(p.c.streams) != 0 || p.c.lingers != 0 {
		t.Errorf("%d, %d, %d streams left", p.c.Len(), len(p.c.streams), p.c.lingers)
	}
}

func TestAStreamThatWasAnsweredEarlyEndsWithItsBody(t *testing.T) {
	for name, tc := range map[string]struct {
		do   func(p *peer)
		said string
	}{
		"data": {func(p *peer) { p.WriteData(1, true, []byte("abc")) }, ""},
		"trailers": {func(p *peer) {
			p.WriteData(1, false, []byte("abc"))
			p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: p.fields("x", "y")})
		}, ""},
		"reset":    {func(p *peer) { p.WriteRSTStream(1, http2.ErrCodeNo) }, ""},
		"too long": {func(p *peer) { p.WriteData(1, false, []byte("abcd")) }, "RST 1 PROTOCOL_ERROR"},
		"window":   {func(p *peer) { p.WriteRawFrame(http2.FrameWindowUpdate, 0, 1, []byte{0, 0, 0, 0}) }, "RST 1 PROTOCOL_ERROR"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, Config{})
			p.get(1, false, "content-length", "3")
			p.run()
			p.answer(1, ok200)
			p.events()
			p.said()
			tc.do(p)
			p.run()
			p.want("said", p.said(), tc.said)
			p.want("found", p.events(), "")
			if len(p.c.streams) != 0 || p.c.lingers != 0 {
				t.Errorf("%d, %d streams left", len(p.c.streams), p.c.lingers)
			}
		})
	}
}

func TestStreamsOfOursAreNumberedAsTheyAreWritten(t *testing.T) {
	p := newPeer(t, Config{Role: Client})
	a, b, c := p.c.Open(), p.c.Open(), p.c.Open()
	get := []byte("GET / HTTP/1.1\r\nhost: a\r\n\r\n")
	p.c.Write(c, get)
	p.c.Write(a, get)
	if a.ID != 3 || b.ID != 0 || c.ID != 1 || p.c.Len() != 3 {
		t.Errorf("got %d, %d, %d, %d streams", a.ID, b.ID, c.ID, p.c.Len())
	}
	p.c.Close(b, Cancel)
	p.c.Write(p.c.Open(), get)
	p.want("said", p.said(), "HEADERS 1 [:method=GET :scheme=https :authority=a :path=/] true\nHEADERS 3 [:method=GET :scheme=https :authority=a :path=/] true\n"+
		"HEADERS 5 [:method=GET :scheme=https :authority=a :path=/] true")
}

func TestAStreamMayBeAnsweredInTheMiddleOfAFrame(t *testing.T) {
	for _, end := range []bool{false, true} {
		p := newPeer(t, Config{})
		p.get(1, false)
		p.WriteData(1, end, []byte("hello world"))
		whole := p.out.Bytes()
		p.feed(whole[:len(whole)-5])
		p.answer(1, ok200)
		p.events()
		window := p.c.window + p.c.unacked
		p.feed(whole[len(whole)-5:])
		p.out.Reset()
		p.want("found", p.events(), "")
		if got := p.c.window + p.c.unacked; got != window+5 || (len(p.c.streams) == 0) != end || p.c.data.s != nil {
			t.Errorf("end %v: %d bytes came back, want 5; %d streams left", end, got-window, len(p.c.streams))
		}
	}
}

func TestWhereWebSocketsAreNotOfferedTheyAreMalformed(t *testing.T) {
	var c Conn
	c.Start(Config{NoConnect: true})
	if bytes.Contains(c.Out(), []byte{0, 8, 0, 0, 0, 1}) {
		t.Errorf("extended CONNECT is offered: %q", c.Out())
	}
	p := newPeer(t, Config{NoConnect: true})
	p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: p.fields(":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":path", "/", ":authority", "a")})
	p.run()
	p.want("said", p.said(), "RST 1 PROTOCOL_ERROR")
}

func TestLargerFramesWhereTheyAreAllowed(t *testing.T) {
	p := newPeer(t, Config{FrameSize: 40000})
	p.get(1, false)
	p.WriteData(1, true, make([]byte, 40000))
	p.run()
	if got := p.events(); !strings.HasSuffix(got, `"" true`) {
		t.Errorf("got %.100s", got)
	}
	p.WriteRawFrame(0xee, 0, 0, make([]byte, 35000)) // would have to be held whole
	p.run()
	p.want("events", p.events(), "broken ENHANCE_YOUR_CALM")
}
