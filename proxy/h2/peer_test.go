package h2

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// peer is the other end of a Conn under test. It writes with the frame writer
// of golang.org/x/net, and collects what the Conn finds and says.
type peer struct {
	*http2.Framer
	t     *testing.T
	c     *Conn
	out   bytes.Buffer // written, not yet read by the Conn
	enc   *hpack.Encoder
	block bytes.Buffer
	now   int64
	log   []string
	rest  []byte
	// took says that the user takes every byte at once, and closes streams
	// that are over.
	took bool
}

// newPeer starts a Conn of this configuration, with the handshake done.
func newPeer(t *testing.T, cfg Config) *peer {
	p := &peer{t: t, c: &Conn{}, now: 1, took: true}
	p.Framer = http2.NewFramer(&p.out, nil)
	p.AllowIllegalWrites = true
	p.enc = hpack.NewEncoder(&p.block)
	p.c.Start(cfg)
	if cfg.Role == Server {
		p.out.WriteString(Preface)
	}
	p.WriteSettings()
	p.run()
	p.said()
	p.log = nil
	return p
}

func (p *peer) fields(kv ...string) []byte {
	p.block.Reset()
	for i := 0; i < len(kv); i += 2 {
		p.enc.WriteField(hpack.HeaderField{Name: kv[i], Value: kv[i+1]})
	}
	return p.block.Bytes()
}

func (p *peer) get(id uint32, end bool, more ...string) {
	kv := append([]string{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a"}, more...)
	p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, EndHeaders: true, EndStream: end, BlockFragment: p.fields(kv...)})
}

// run feeds what was written, in pieces of size when given, and logs events.
func (p *peer) run(size ...int) {
	for p.out.Len() > 0 {
		n := p.out.Len()
		if len(size) > 0 {
			n = min(n, size[0])
		}
		p.feed(p.out.Next(n))
	}
}

func (p *peer) feed(b []byte) {
	b = append(p.rest, b...)
	p.rest = nil
	for len(b) > 0 {
		ev, n := p.c.Next(b, p.now)
		if ev.Kind == NeedMore && n == 0 {
			p.rest = append([]byte(nil), b...)
			return
		}
		b = b[n:]
		p.note(ev)
		if ev.Kind == Broken {
			return
		}
	}
}

func (p *peer) note(ev Event) {
	id := uint32(0)
	if ev.Stream != nil {
		id = ev.Stream.ID
	}
	switch ev.Kind {
	case HeadArrived:
		p.log = append(p.log, fmt.Sprintf("head %d %q %v", id, ev.Text, ev.End))
	case DataArrived:
		p.log = append(p.log, fmt.Sprintf("data %d %q %q %v", id, ev.Data, ev.Text, ev.End))
		if p.took {
			p.c.Taken(ev.Stream, len(ev.Data))
		}
	case ResetByPeer:
		p.log = append(p.log, fmt.Sprintf("reset %d %v", id, ev.Code))
		if p.took {
			p.c.Close(ev.Stream, InternalError)
		}
	case RoomGrew:
		p.log = append(p.log, fmt.Sprintf("room %d", id))
	case WindowsGrew:
		p.log = append(p.log, "windows")
	case PeerLeaves:
		p.log = append(p.log, fmt.Sprintf("leaves %d %v", ev.Last, ev.Code))
	case DrainHeard:
		p.log = append(p.log, "drained")
	case Broken:
		p.log = append(p.log, fmt.Sprintf("broken %v", ev.Code))
	}
}

// events returns what was found since the last call, a line each.
func (p *peer) events() string {
	s := strings.Join(p.log, "\n")
	p.log = nil
	return s
}

// said decodes what the Conn wrote since the last call, a line a frame.
func (p *peer) said() string {
	fr := http2.NewFramer(nil, bytes.NewReader(append([]byte(nil), bytes.TrimPrefix(p.c.Out(), []byte(Preface))...)))
	fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	p.c.Sent(len(p.c.Out()))
	var lines []string
	for {
		f, err := fr.ReadFrame()
		if err != nil {
			if err != io.EOF {
				p.t.Errorf("what was said is malformed: %v", err)
			}
			return strings.Join(lines, "\n")
		}
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			var list []string
			for _, h := range f.Fields {
				list = append(list, h.Name+"="+h.Value)
			}
			lines = append(lines, fmt.Sprintf("HEADERS %d %v %v", f.StreamID, list, f.StreamEnded()))
		case *http2.DataFrame:
			lines = append(lines, fmt.Sprintf("DATA %d %q %v", f.StreamID, f.Data(), f.StreamEnded()))
		case *http2.RSTStreamFrame:
			lines = append(lines, fmt.Sprintf("RST %d %v", f.StreamID, f.ErrCode))
		case *http2.GoAwayFrame:
			lines = append(lines, fmt.Sprintf("GOAWAY %d %v", f.LastStreamID, f.ErrCode))
		case *http2.WindowUpdateFrame:
			lines = append(lines, fmt.Sprintf("WINDOW %d %d", f.StreamID, f.Increment))
		case *http2.PingFrame:
			lines = append(lines, fmt.Sprintf("PING %q %v", f.Data, f.IsAck()))
		case *http2.SettingsFrame:
			lines = append(lines, fmt.Sprintf("SETTINGS %v", f.IsAck()))
		default:
			lines = append(lines, fmt.Sprint(f))
		}
	}
}

func (p *peer) stream(id uint32) *Stream { return p.c.streams[id] }

func (p *peer) want(what, got, want string) {
	p.t.Helper()
	if got != want {
		p.t.Errorf("%s:\ngot  %s\nwant %s", what, got, want)
	}
}

// answer writes a whole response and closes the stream.
func (p *peer) answer(id uint32, text string) {
	s := p.stream(id)
	if n, r := p.c.Write(s, []byte(text)); n != len(text) || r != Enough {
		p.t.Fatalf("stream %d: wrote %d of %d, %v", id, n, len(text), r)
	}
	p.c.Close(s, InternalError)
}

const ok200 = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
