package h2

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/http2"
)

// flood is how many frames the reliability figures speak of.
const flood = 20000

// ends feeds frames until the connection is over, and reports after how many.
// What waits to be sent must stay small all the while.
func (p *peer) ends(frame func(i int)) int {
	p.t.Helper()
	for i := range flood {
		frame(i)
		p.run()
		if n := len(p.c.Out()); n > 256<<10 {
			p.t.Fatalf("%d bytes wait to be sent after %d frames", n, i)
		}
		if p.c.broken {
			return i + 1
		}
	}
	return flood + 1
}

// mustCalm checks that a flood ends the connection soon, with the reason.
func mustCalm(t *testing.T, most int, frame func(p *peer, i int)) {
	t.Helper()
	p := newPeer(t, Config{})
	n := p.ends(func(i int) { frame(p, i) })
	if n > most {
		t.Errorf("the connection went on for %d frames, want at most %d", n, most)
	}
	if got := p.said(); !strings.Contains(got, "ENHANCE_YOUR_CALM") {
		t.Errorf("said %.300s", got)
	}
	if p.c.Len() > 100 {
		t.Errorf("%d streams open", p.c.Len())
	}
}

// CVE-2023-44487: requests begun and taken back at once.
func TestRapidReset(t *testing.T) {
	mustCalm(t, 201, func(p *peer, i int) {
		id := uint32(2*i + 1)
		p.get(id, true)
		p.WriteRSTStream(id, http2.ErrCodeCancel)
	})
}

// CVE-2025-8671: the peer makes us take them back.
func TestMadeYouReset(t *testing.T) {
	for name, mistake := range map[string]func(p *peer, id uint32){
		"window update of 0":    func(p *peer, id uint32) { p.WriteRawFrame(http2.FrameWindowUpdate, 0, id, []byte{0, 0, 0, 0}) },
		"window overflow":       func(p *peer, id uint32) { p.WriteWindowUpdate(id, 1<<31-1) },
		"data after the end":    func(p *peer, id uint32) { p.WriteData(id, true, []byte("x")) },
		"headers after the end": func(p *peer, id uint32) { p.get(id, true) },
		"priority of 4 bytes":   func(p *peer, id uint32) { p.WriteRawFrame(http2.FramePriority, 0, id, []byte{0, 0, 0, 0}) },
		"priority on itself":    func(p *peer, id uint32) { p.WritePriority(id, http2.PriorityParam{StreamDep: id}) },
	} {
		t.Run(name, func(t *testing.T) {
			mustCalm(t, 201, func(p *peer, i int) {
				id := uint32(2*i + 1)
				p.get(id, true)
				mistake(p, id)
			})
		})
	}
}

// CVE-2023-45288 and CVE-2024-27919: a head without end.
func TestContinuationFlood(t *testing.T) {
	for name, size := range map[string]int{"empty": 0, "small": 1, "large": 16000} {
		t.Run(name, func(t *testing.T) {
			mustCalm(t, 210, func(p *peer, i int) {
				block := bytes.Repeat([]byte{0x82}, size) // indexed fields
				if i == 0 {
					p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block})
					return
				}
				p.WriteContinuation(1, false, block)
				if n := cap(p.c.block.text); n > 64<<10 {
					t.Fatalf("%d bytes of the head are kept", n)
				}
			})
		})
	}
}

// CVE-2019-9511, data dribble: windows widened by one byte at a time.
func TestDataDribble(t *testing.T) {
	p := newPeer(t, Config{})
	p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	p.get(1, true)
	p.run()
	body := "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n" + strings.Repeat("x", 30000)
	s := p.stream(1)
	n, _ := p.c.Write(s, []byte(body))
	body = body[n:]
	frames := p.ends(func(int) {
		p.WriteWindowUpdate(1, 1)
		p.run()
		if !p.c.broken {
			n, _ := p.c.Write(s, []byte(body))
			body = body[n:]
		}
		p.c.Sent(len(p.c.Out()))
	})
	if frames > 1100 {
		t.Errorf("went on for %d frames", frames)
	}
}

// CVE-2019-9512, ping flood; what is not read is not answered without bound.
func TestPingFlood(t *testing.T) {
	mustCalm(t, 1001, func(p *peer, i int) { p.WritePing(false, [8]byte{byte(i)}) })
}

// CVE-2019-9513, resource loop: priorities shuffled.
func TestPriorityFlood(t *testing.T) {
	mustCalm(t, 1001, func(p *peer, i int) { p.WritePriority(uint32(2*i+1), http2.PriorityParam{StreamDep: uint32(2*i + 3)}) })
}

// CVE-2019-9514, reset flood: malformed requests that each make us answer.
func TestResetFlood(t *testing.T) {
	mustCalm(t, 201, func(p *peer, i int) { p.get(uint32(2*i+1), true, "UPPER", "x") })
}

// CVE-2019-9515, settings flood.
func TestSettingsFlood(t *testing.T) {
	mustCalm(t, 201, func(p *peer, i int) {
		p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(i)})
	})
}

// CVE-2019-9516, fields without name or value that still cost room.
func TestFieldsOfNothingAreCounted(t *testing.T) {
	p := newPeer(t, Config{})
	block := append([]byte(nil), p.fields(":method", "GET", ":scheme", "http", ":path", "/")...)
	for range 10000 {
		block = append(block, 0, 0, 0) // a literal of nothing
	}
	for at := 0; at < len(block); at += 16000 {
		piece := block[at:min(at+16000, len(block))]
		if at == 0 {
			p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndStream: true, BlockFragment: piece})
			continue
		}
		p.WriteContinuation(1, at+16000 >= len(block), piece)
	}
	p.run()
	if got := p.events(); got != "" && !strings.HasPrefix(got, "broken") {
		t.Errorf("found %q", got)
	}
	if got := p.said(); !strings.Contains(got, "RST 1 ") && !strings.Contains(got, "GOAWAY") {
		t.Errorf("said %q", got)
	}
}

// CVE-2019-9517, internal data buffering: a peer with an open stream window
// and a closed connection, which never reads. What waits is bounded.
func TestWhatThePeerDoesNotTakeIsNotMade(t *testing.T) {
	p := newPeer(t, Config{})
	p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1})
	p.WriteWindowUpdate(0, 1<<31-1-65535)
	for i := range 100 {
		p.get(uint32(2*i+1), true)
	}
	p.run()
	text := []byte("HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n" + strings.Repeat("x", 1<<20))
	full := 0
	for i := range 100 {
		if _, r := p.c.Write(p.stream(uint32(2*i+1)), text); r == ConnFull {
			full++
		}
	}
	if full != 100 || len(p.c.Out()) > 2*outMost {
		t.Errorf("%d of 100 streams were told that the connection is full, %d bytes wait", full, len(p.c.Out()))
	}
}

// CVE-2019-9518, empty frames.
func TestEmptyFramesFlood(t *testing.T) {
	mustCalm(t, 1002, func(p *peer, i int) {
		if i == 0 {
			p.get(1, false)
		} else {
			p.WriteData(1, false, nil)
		}
	})
	mustCalm(t, 1002, func(p *peer, i int) {
		if i == 0 {
			p.get(1, false)
		} else {
			p.WriteDataPadded(1, false, nil, make([]byte, 10))
		}
	})
	mustCalm(t, 1001, func(p *peer, i int) { p.WriteRawFrame(0xee, 0, 0, nil) })
}

func TestStreamsBeyondTheLimitAreRefusedAndPaidFor(t *testing.T) {
	mustCalm(t, 1101, func(p *peer, i int) { p.get(uint32(2*i+1), true) })
}

// CVE-2018-14645: a Huffman code or index that reads past the table, and
// CVE-2020-11100: an entry larger than the table.
func TestHeaderTableBounds(t *testing.T) {
	for name, block := range map[string][]byte{
		"index 0":                         {0x80},
		"index beyond both tables":        {0xff, 0x80, 0x01},
		"an index of many bytes":          {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
		"name index beyond both tables":   {0x7f, 0x80, 0x7f, 0x01, 'x'},
		"a string longer than the block":  {0x00, 0x7f, 0xff, 0xff, 0xff, 0x0f, 'x'},
		"a Huffman code that is none":     {0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0x01, 'x'},
		"a table larger than was allowed": {0x3f, 0xff, 0xff, 0x7f},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, Config{})
			p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: block})
			p.run()
			p.want("events", p.events(), "broken COMPRESSION_ERROR")
		})
	}
	t.Run("an entry larger than the table empties it", func(t *testing.T) {
		p := newPeer(t, Config{})
		p.get(1, true, "x-kept", "v")
		p.run()
		large := append([]byte{0x40, 1, 'y', 0x7f, 0xa1, 0x1f}, bytes.Repeat([]byte("z"), 0x7f+0x21+0x1f<<7)...) // over 4096
		p.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, EndHeaders: true, EndStream: true,
			BlockFragment: append(append([]byte{}, 0x82, 0x86, 0x84), large...)})
		p.WriteHeaders(http2.HeadersFrameParam{StreamID: 5, EndHeaders: true, EndStream: true, BlockFragment: []byte{0x82, 0x86, 0x84, 0xbe}})
		p.events()
		p.run()
		if got := p.events(); !strings.HasSuffix(got, "broken COMPRESSION_ERROR") {
			t.Errorf("an index into the emptied table: got %.200q", got)
		}
	})
}

// A header bomb: one large entry, then thousands of one-byte references.
func TestHeaderBomb(t *testing.T) {
	p := newPeer(t, Config{})
	value := strings.Repeat("v", 4000)
	p.get(1, true, "x", value)
	p.run()
	if !strings.HasPrefix(p.events(), "head 1 ") {
		t.Fatal("the first request was refused")
	}
	before := cap(p.c.cfg.Scratch.reading.text)
	for i := range 100 {
		block := append([]byte{0x82, 0x86, 0x84}, bytes.Repeat([]byte{0x80 | 62}, 16000)...)
		p.WriteHeaders(http2.HeadersFrameParam{StreamID: uint32(2*i + 3), EndHeaders: true, EndStream: true, BlockFragment: block})
	}
	p.run()
	if got := p.events(); strings.Contains(got, "head") {
		t.Errorf("a head of 64 MB was taken: %.200q", got)
	}
	if after := cap(p.c.cfg.Scratch.reading.text); after > before+64<<10 {
		t.Errorf("%d bytes of it were made", after)
	}
}

// CVE-2018-20615: HEADERS with the priority flag and less than five bytes.
func TestPriorityLength(t *testing.T) {
	for n := range 5 {
		p := newPeer(t, Config{})
		p.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersPriority|http2.FlagHeadersEndHeaders|http2.FlagHeadersEndStream, 1, make([]byte, n))
		p.run()
		p.want("events", p.events(), "broken FRAME_SIZE_ERROR")
	}
	p := newPeer(t, Config{})
	p.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersPriority|http2.FlagHeadersPadded|http2.FlagHeadersEndHeaders, 1, []byte{3, 0, 0, 0, 0, 0, 0})
	p.run()
	p.want("padding over the priority", p.events(), "broken FRAME_SIZE_ERROR")
}

// CVE-2021-39240, 39241 and 39242: pseudo-header fields that become a second
// line, another target or another host in HTTP/1.
func TestInjectionByPseudoHeaders(t *testing.T) {
	good := []string{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a"}
	for name, change := range map[string][2]string{
		"line end in the path":         {":path", "/ HTTP/1.1\r\nx: y"},
		"space in the path":            {":path", "/a b"},
		"no slash in front":            {":path", "a"},
		"another target":               {":path", "http://evil/"},
		"asterisk with GET":            {":path", "*"},
		"space in the method":          {":method", "GET /admin"},
		"line end in the method":       {":method", "GET\r\n"},
		"empty method":                 {":method", ""},
		"scheme with a target":         {":scheme", "http://evil/?"},
		"empty scheme":                 {":scheme", ""},
		"line end in the authority":    {":authority", "a\r\nx: y"},
		"space in the authority":       {":authority", "a b"},
		"NUL in the path":              {":path", "/\x00"},
		"a byte of 8 bits in the path": {":path", "/\xff"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, Config{})
			kv := append([]string(nil), good...)
			for i := 0; i < len(kv); i += 2 {
				if kv[i] == change[0] {
					kv[i+1] = change[1]
				}
			}
			p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: p.fields(kv...)})
			p.run()
			p.want("events", p.events(), "")
			p.want("said", p.said(), "RST 1 PROTOCOL_ERROR")
		})
	}
	for _, f := range [][2]string{{"x", "a\r\nb: c"}, {"x", "a\x00"}, {"x", "\n"}, {"x y", "v"}, {"x:y", "v"}, {"x\r\n", "v"}, {"", "v"}, {"X", "v"}} {
		p := newPeer(t, Config{})
		p.get(1, true, f[0], f[1])
		p.run()
		p.want("said of field "+f[0], p.said(), "RST 1 PROTOCOL_ERROR")
	}
	p := newPeer(t, Config{})
	p.get(1, true, "host", "evil", "host", "worse")
	p.run()
	p.want("another host", p.events(), `head 1 "GET / HTTP/1.1\r\nhost: a\r\n\r\n" true`)
}

// CVE-2024-45506: a send that cannot go on must not be tried for ever. Every
// step of Write either takes something or names what it waits for.
func TestZeroCopyLoop(t *testing.T) {
	p := newPeer(t, Config{})
	p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 10})
	p.get(1, true)
	p.get(3, true)
	p.run()
	p.said()
	head := "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
	text := []byte(head + "14\r\n01234567890123456789\r\n0\r\n\r\n")
	n, r := p.c.Write(p.stream(1), text)
	if want := len(head) + 4 + 10; n != want || r != StreamFull {
		t.Errorf("took %d, %v; want %d and StreamFull", n, r, want)
	}
	if k, r := p.c.Write(p.stream(1), text[n:]); k != 0 || r != StreamFull {
		t.Errorf("took %d, %v; want nothing and StreamFull", k, r)
	}
	p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}) // below what was sent
	p.run()
	if k, r := p.c.Write(p.stream(1), text[n:]); k != 0 || r != StreamFull {
		t.Errorf("with a window below zero: took %d, %v", k, r)
	}
	p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 20})
	p.run()
	if k, r := p.c.Write(p.stream(1), text[n:]); k != len(text)-n || r != Enough {
		t.Errorf("with room again: took %d of %d, %v", k, len(text)-n, r)
	}
}

// Whoever uses a connection in earnest never runs out of credit.
func TestHonestUseIsNeverCalmed(t *testing.T) {
	p := newPeer(t, Config{})
	for i := range 50000 {
		id := uint32(2*i + 1)
		p.get(id, true)
		p.WritePing(false, [8]byte{})
		p.WriteWindowUpdate(0, 2)
		if i%2 == 0 {
			p.WritePriority(id, http2.PriorityParam{StreamDep: 0, Weight: 3})
		}
		p.run()
		if p.c.broken {
			t.Fatalf("ended after %d requests: %s", i, p.events())
		}
		p.answer(id, ok200)
		p.c.Sent(len(p.c.Out()))
	}
	for range 20000 { // a connection that is only kept alive
		p.now += 1e9
		p.WritePing(false, [8]byte{})
		p.WritePing(false, [8]byte{})
	}
	for p.out.Len() > 0 {
		p.now += 1e9 / 20
		p.feed(p.out.Next(17))
		p.c.Sent(len(p.c.Out()))
	}
	if p.c.broken {
		t.Error("a connection with a ping in every twentieth of a second was ended")
	}
}
