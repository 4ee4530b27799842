package h2

import (
	"bytes"
	"testing"

	"golang.org/x/net/http2"

	"herald/proxy/h1"
)

// FuzzFrames feeds any bytes behind a handshake to both ends, whole and split.
// Nothing panics, what is found does not depend on the split, every head is
// one that the reader of HTTP/1 understands or refuses whole, and what is said
// in answer is read by golang.org/x/net's frame reader.
func FuzzFrames(f *testing.F) {
	var seed bytes.Buffer
	fr := http2.NewFramer(&seed, nil)
	fr.WriteSettings()
	fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: []byte{0x82, 0x86, 0x84, 0x41, 1, 'a'}})
	fr.WriteData(1, true, []byte("hello"))
	fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: []byte{0x82, 0x86}})
	fr.WriteContinuation(3, true, []byte{0x84})
	fr.WriteRSTStream(3, 8)
	fr.WritePing(false, [8]byte{})
	fr.WriteWindowUpdate(0, 1)
	fr.WriteGoAway(0, 0, nil)
	f.Add(seed.Bytes(), uint8(3))
	f.Fuzz(func(t *testing.T, p []byte, split uint8) {
		for _, role := range []Role{Server, Client} {
			whole := follow(t, role, p, len(p)+1)
			if pieces := follow(t, role, p, int(split)+1); !bytes.Equal(whole, pieces) {
				t.Fatalf("role %d: in pieces of %d\n%q\nwhole\n%q", role, int(split)+1, pieces, whole)
			}
		}
	})
}

// follow writes down all that is found in p.
func follow(t *testing.T, role Role, p []byte, size int) (found []byte) {
	var c Conn
	c.Start(Config{Role: role})
	if role == Server {
		c.Next([]byte(Preface), 1)
	} else {
		s := c.Open()
		c.Write(s, []byte("GET / HTTP/1.1\r\nhost: a\r\n\r\n"))
	}
	c.Sent(len(c.Out()))
	var rest, said []byte
	for len(p) > 0 {
		n := min(size, len(p))
		rest = append(rest, p[:n]...)
		p = p[n:]
		for len(rest) > 0 {
			ev, n := c.Next(rest, 1)
			rest = rest[n:]
			switch ev.Kind {
			case HeadArrived:
				readable(t, role, ev.Text)
				found = append(append(found, 'h', byte(ev.Stream.ID)), ev.Text...)
				ev.Stream.Owner = t
				if role == Server && ev.Stream.ID%3 == 1 {
					c.Write(ev.Stream, []byte(ok200))
					if ev.Stream.ID%2 == 1 && len(ev.Text)%2 == 0 {
						c.Close(ev.Stream, Cancel)
					}
				}
			case DataArrived:
				if ev.Stream.Owner == nil {
					t.Fatal("data for a stream that nobody owns")
				}
				if ev.Stream.ID%3 == 2 { // answered while its body comes
					c.Write(ev.Stream, []byte(ok200))
					c.Close(ev.Stream, Cancel)
					continue
				}
				found = append(append(found, ev.Data...), ev.Text...)
				if len(ev.Data) > 0 {
					c.Taken(ev.Stream, len(ev.Data))
				}
			case ResetByPeer:
				found = append(found, 'r', byte(ev.Stream.ID), byte(ev.Code))
				c.Close(ev.Stream, Cancel)
			case Broken:
				rest, p = nil, nil
				found = append(found, 'b', byte(ev.Code))
			}
			if ev.Kind == NeedMore && n == 0 {
				break
			}
		}
		said = append(said, c.Out()...)
		c.Sent(len(c.Out()))
	}
	fr := http2.NewFramer(nil, bytes.NewReader(said))
	for {
		if _, err := fr.ReadFrame(); err != nil {
			if err.Error() != "EOF" {
				t.Fatalf("said %q: %v", said, err)
			}
			return found
		}
	}
}

// readable checks that text is one head, whatever HTTP/1 thinks of it.
func readable(t *testing.T, role Role, text []byte) {
	var h h1.Head
	buf := append([]byte(nil), text...)
	v := h1.Incomplete
	if role == Server {
		v = h.ParseRequest(buf)
	} else {
		v = h.ParseResponse(buf, h1.MethodGet, false)
	}
	if v == h1.Incomplete || v == h1.Complete && h.Len != len(text) {
		t.Fatalf("%q is %v, %d of %d bytes", text, v, h.Len, len(text))
	}
}
