package h2

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// decoded reads a block as golang.org/x/net does.
func decoded(t *testing.T, block []byte) []hpack.HeaderField {
	t.Helper()
	fields, err := hpack.NewDecoder(4096, nil).DecodeFull(block)
	if err != nil {
		t.Fatalf("%x: %v", block, err)
	}
	return fields
}

func TestEveryNameOfTheStaticTableIsFoundAndRead(t *testing.T) {
	found := 0
	for i := 1; i <= 61; i++ {
		name := decoded(t, []byte{0x80 | byte(i)})[0].Name
		if strings.HasPrefix(name, ":") {
			continue
		}
		found++
		if got := staticName([]byte(name)); got != i {
			t.Errorf("%s: index %d, want %d", name, got, i)
		}
		for _, value := range []string{"", "v", strings.Repeat("v", 127), strings.Repeat("v", 300), strings.Repeat("v", 70000)} {
			if f := decoded(t, appendLiteral(nil, []byte(name), []byte(value)))[0]; f.Name != name || f.Value != value {
				t.Errorf("%s: read as %s, %d bytes", name, f.Name, len(f.Value))
			}
		}
	}
	if found != 47 {
		t.Errorf("%d names", found)
	}
	if f := decoded(t, appendLiteral(nil, []byte("x-other"), []byte("v")))[0]; f.Name != "x-other" || f.Value != "v" {
		t.Errorf("read %v", f)
	}
}

func TestEveryStatusAndMethodIsRead(t *testing.T) {
	for status := 100; status <= 999; status++ {
		if f := decoded(t, appendStatus(nil, status))[0]; f.Name != ":status" || f.Value != fmt.Sprint(status) {
			t.Errorf("%d: read %v", status, f)
		}
	}
	for _, m := range []string{"GET", "POST", "PUT", "M-SEARCH"} {
		if f := decoded(t, appendMethod(nil, []byte(m)))[0]; f.Name != ":method" || f.Value != m {
			t.Errorf("%s: read %v", m, f)
		}
	}
	for _, scheme := range []string{"https", "http", "ftp"} {
		if f := decoded(t, appendScheme(nil, []byte(scheme)))[0]; f.Name != ":scheme" || f.Value != scheme {
			t.Errorf("%s: read %v", scheme, f)
		}
	}
}

// A peer that allows no header table wants to hear that it is empty (RFC 7541
// section 4.2).
func TestAPeerWithoutATableIsToldThatItIsEmpty(t *testing.T) {
	p := newPeer(t, Config{})
	p.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0})
	p.get(1, true)
	p.get(3, true)
	p.run()
	p.c.Sent(len(p.c.Out()))
	for i, want := range []byte{0x20, 0x88} {
		p.c.Write(p.stream(uint32(2*i+1)), []byte(ok200))
		if got := p.c.Out()[headerLen]; got != want {
			t.Errorf("response %d begins with %#x, want %#x", i, got, want)
		}
		p.c.Sent(len(p.c.Out()))
	}
}

func BenchmarkRequestAndResponse(b *testing.B) {
	var c Conn
	c.Start(Config{})
	c.Next([]byte(Preface), 1)
	p := &peer{c: &c}
	p.Framer = http2.NewFramer(&p.out, nil)
	p.enc = hpack.NewEncoder(&p.block)
	p.WriteSettings()
	p.get(1, true, "user-agent", "curl/8", "accept", "*/*")
	c.Next(p.out.Bytes(), 1)
	head := append([]byte(nil), p.out.Bytes()[headerLen:]...)
	c.Next(head, 1)
	response := []byte("HTTP/1.1 200 OK\r\ncontent-length: 1024\r\ncontent-type: text/plain\r\n\r\n" + strings.Repeat("x", 1024))
	c.Close(c.streams[1], NoError)
	p.out.Reset()
	p.get(3, true, "user-agent", "curl/8", "accept", "*/*")
	head = append(head[:0], p.out.Bytes()...)
	id := uint32(3)
	b.ReportAllocs()
	for b.Loop() {
		head[5], head[6], head[7], head[8] = byte(id>>24), byte(id>>16), byte(id>>8), byte(id)
		ev, _ := c.Next(head, 1)
		if ev.Kind != HeadArrived {
			b.Fatal(ev.Kind, ev.Code)
		}
		c.room = maxWindow
		c.Write(ev.Stream, response)
		c.Close(ev.Stream, NoError)
		c.Sent(len(c.Out()))
		id += 2
	}
}

// BenchmarkFloods is the time of 20,000 frames of each flood, or of as many as
// are read before the connection ends.
func BenchmarkFloods(b *testing.B) {
	for name, frame := range map[string]func(p *peer, i int){
		"reset": func(p *peer, i int) { p.get(uint32(2*i+1), true); p.WriteRSTStream(uint32(2*i+1), http2.ErrCodeCancel) },
		"ping":  func(p *peer, i int) { p.WritePing(false, [8]byte{}) },
		"settings": func(p *peer, i int) {
			p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(i)})
		},
		"priority": func(p *peer, i int) { p.WritePriority(uint32(2*i+1), http2.PriorityParam{}) },
		"unknown":  func(p *peer, i int) { p.WriteRawFrame(0xee, 0, 0, nil) },
	} {
		b.Run(name, func(b *testing.B) {
			p := &peer{}
			p.Framer = http2.NewFramer(&p.out, nil)
			p.AllowIllegalWrites = true
			p.enc = hpack.NewEncoder(&p.block)
			p.out.WriteString(Preface)
			p.WriteSettings()
			for i := range flood {
				frame(p, i)
			}
			for b.Loop() {
				var c Conn
				c.Start(Config{})
				p.c, p.took, p.rest = &c, true, nil
				p.feed(p.out.Bytes())
				p.log = p.log[:0]
			}
		})
	}
}
