package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"herald/proxy/reference"
	"herald/proxy/settings"
)

// A parcel is a message with a trailer behind its body, sent in one version
// and heard in another or the same, as a request and as a response.
type parcel struct {
	name       string
	head       string // fields about framing
	body       string
	end        string // in HTTP/2, as below
	inH1, inH2 string // what is heard of it
}

// How a message in HTTP/2 ends but with its trailer at once.
const (
	later   = "later"   // with its trailer, once the body has arrived
	without = "without" // in an empty frame
	cut     = "cut"     // by a reset, once the body has arrived; a response that is whole by its length
)

const known, announced = "content-length: 5\n", "trailer: x-t\n"

var parcels = []parcel{
	{"length unknown", "", "hello", "", `transfer-encoding "hello" x-t: v`, `"hello" x-t: v`},
	{"length unknown, announced", announced, "hello", "", `trailer transfer-encoding "hello" x-t: v`, `trailer "hello" x-t: v`},
	{"length unknown, no trailer", "", "hello", without, `transfer-encoding "hello"`, `"hello"`},
	{"length known", known, "hello", "", `content-length "hello"`, `content-length "hello" x-t: v`},
	{"length known, announced", known + announced, "hello", "", `content-length trailer "hello"`, `content-length trailer "hello" x-t: v`},
	{"length known, the trailer later", known, "hello", later, `content-length "hello"`, `content-length "hello" x-t: v`},
	{"length known, no trailer", known, "hello", without, `content-length "hello"`, `content-length "hello"`},
	{"length known, no end", known, "hello", cut, `content-length "hello"`, `content-length "hello"`},
	{"a byte", "content-length: 1\n", "x", "", `content-length "x"`, `content-length "x" x-t: v`},
	{"several frames", "content-length: 50000\n", strings.Repeat("x", 50000), "", `content-length 50000`, `content-length 50000 x-t: v`},
}

// framing tells which of the fields that frame a message it has.
func framing(has func(name string) bool) string {
	var b strings.Builder
	for _, n := range []string{"content-length", "trailer", "transfer-encoding"} {
		if has(n) {
			b.WriteString(n + " ")
		}
	}
	return b.String()
}

func sized(body []byte) string {
	if len(body) > 100 {
		return fmt.Sprint(len(body))
	}
	return fmt.Sprintf("%q", body)
}

// voice is how one end of a connection sends and hears messages.
type voice interface {
	// tell sends the message behind a start; arrived is closed when its body
	// has come to the other end.
	tell(m parcel, start string, arrived <-chan struct{})
	// hear tells what comes, and calls arrived when there is some of a body.
	hear(arrived func()) string
}

type h1voice struct {
	net.Conn
	r *textproto.Reader
}

func (e *h1voice) tell(m parcel, start string, _ <-chan struct{}) {
	switch start {
	case responds:
		start = "HTTP/1.1 200 OK\n"
	case posts:
		start = "POST / HTTP/1.1\nhost: a\nte: trailers\n"
	}
	body := m.body
	if !strings.HasPrefix(m.head, "content-length") {
		start += "transfer-encoding: chunked\n"
		body = fmt.Sprintf("%x\r\n%s\r\n0\r\nx-t: v\r\n\r\n", len(m.body), m.body)
	}
	io.WriteString(e, strings.ReplaceAll(start+m.head+"\n", "\n", "\r\n")+body)
}

func (e *h1voice) hear(arrived func()) string {
	e.r.ReadLine()
	h, err := e.r.ReadMIMEHeader()
	if err != nil {
		return err.Error()
	}
	said := framing(func(name string) bool { return h.Get(name) != "" })
	var size int
	if fmt.Sscan(h.Get("content-length"), &size); h.Get("transfer-encoding") == "" {
		body := make([]byte, size)
		n, _ := io.ReadFull(e.r.R, body)
		arrived()
		return said + sized(body[:n])
	}
	var body []byte
	for size = 1; size > 0; {
		l, err := e.r.ReadLine()
		if err != nil {
			return err.Error()
		}
		if fmt.Sscanf(l, "%x", &size); size > 0 {
			p := make([]byte, size+2)
			io.ReadFull(e.r.R, p)
			body = append(body, p[:size]...)
		}
	}
	said += sized(body)
	for l, err := e.r.ReadLine(); l != "" && err == nil; l, err = e.r.ReadLine() {
		said += " " + l
	}
	return said
}

type h2voice struct {
	*http2.Framer
	c     net.Conn
	out   bytes.Buffer // sent together
	block bytes.Buffer
	id    uint32
}

const (
	posts    = ":method: POST\n:scheme: http\n:path: /\n:authority: a\n"
	responds = ":status: 200\n"
)

func (e *h2voice) flush() {
	e.c.Write(e.out.Bytes())
	e.out.Reset()
}

func (e *h2voice) fields(end bool, lines string) {
	e.block.Reset()
	enc := hpack.NewEncoder(&e.block)
	for l := range strings.Lines(lines) {
		at := strings.Index(l, ": ")
		enc.WriteField(hpack.HeaderField{Name: l[:at], Value: strings.TrimSpace(l[at+2:])})
	}
	e.WriteHeaders(http2.HeadersFrameParam{StreamID: e.id, EndHeaders: true, EndStream: end, BlockFragment: e.block.Bytes()})
}

func (e *h2voice) tell(m parcel, start string, arrived <-chan struct{}) {
	defer e.flush()
	if start == posts {
		e.id = 1
	}
	e.fields(false, start+m.head)
	for rest := m.body; rest != ""; {
		n := min(len(rest), 16384)
		e.WriteData(e.id, false, []byte(rest[:n]))
		rest = rest[n:]
	}
	switch m.end {
	case later, cut:
		e.flush()
		<-arrived
	case without:
		e.WriteData(e.id, true, nil)
		return
	}
	if m.end == cut {
		e.WriteRSTStream(e.id, http2.ErrCodeInternal)
		return
	}
	e.fields(true, "x-t: v")
}

func (e *h2voice) hear(arrived func()) string {
	var head, trailers string
	var body []byte
	for end := false; !end; {
		f, err := e.ReadFrame()
		if err != nil {
			return err.Error()
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				e.WriteSettingsAck()
				e.flush()
			}
		case *http2.MetaHeadersFrame:
			end = f.StreamEnded()
			if e.id = f.StreamID; len(f.PseudoFields()) == 0 {
				trailers = " " + f.Fields[0].Name + ": " + f.Fields[0].Value
				break
			}
			head = framing(func(name string) bool {
				for _, h := range f.RegularFields() {
					if h.Name == name {
						return true
					}
				}
				return false
			})
		case *http2.DataFrame:
			end = f.StreamEnded()
			if body = append(body, f.Data()...); len(body) > 0 {
				arrived()
			}
		case *http2.RSTStreamFrame:
			trailers, end = " reset", true
		}
	}
	return head + sized(body) + trailers
}

// speaks is an end of c.
func speaks(version string, c net.Conn, client bool) voice {
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if version == "h1" {
		return &h1voice{c, textproto.NewReader(bufio.NewReader(c))}
	}
	e := &h2voice{c: c}
	e.Framer = http2.NewFramer(&e.out, c)
	e.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if client {
		io.WriteString(c, http2.ClientPreface)
	} else {
		io.ReadFull(c, make([]byte, len(http2.ClientPreface)))
	}
	e.WriteSettings()
	e.flush()
	return e
}

var bare = parcel{head: "content-length: 2\n", body: "ok", end: without}

// carry sends m through a proxy before a server of its own, as a request or as a
// response, and tells what arrives.
func (m parcel) carry(t *testing.T, from, to string, asRequest bool, proxy func(server string) (addr string)) string {
	arrived, heard := make(chan struct{}), make(chan string, 2)
	closing := sync.OnceFunc(func() { close(arrived) })
	client, server := from, to
	if !asRequest {
		client, server = to, from
	}
	addr := proxy(script(t, func(c net.Conn) {
		s := speaks(server, c, false)
		if asRequest {
			heard <- s.hear(closing)
			closing()
			s.tell(bare, responds, nil)
		} else {
			s.hear(func() {})
			s.tell(m, responds, arrived)
		}
		io.Copy(io.Discard, c)
	}))
	c := reference.Dial(t, addr)
	defer c.Close()
	s := speaks(client, c, true)
	if asRequest {
		s.tell(m, posts, arrived)
	} else {
		s.tell(bare, posts, nil)
		heard <- s.hear(closing)
		closing()
	}
	return <-heard
}

// eachParcel carries every parcel each way.
func eachParcel(t *testing.T, proxy func(t *testing.T, client, server, at string) (addr string)) {
	for _, way := range []string{"h1 h2", "h2 h1", "h2 h2"} {
		for _, m := range parcels {
			for _, kind := range []string{"request", "response"} {
				from, to, _ := strings.Cut(way, " ")
				if from == "h1" && (m.end != "" || strings.HasPrefix(m.head, "content-length")) || m.end == cut && kind == "request" {
					continue
				}
				t.Run(way+" "+kind+" "+m.name, func(t *testing.T) {
					t.Parallel()
					want := m.inH1
					if to == "h2" {
						want = m.inH2
					}
					got := m.carry(t, from, to, kind == "request", func(at string) string {
						if kind == "request" {
							return proxy(t, from, to, at)
						}
						return proxy(t, to, from, at)
					})
					if got != want {
						t.Errorf("got %s, want %s", got, want)
					}
				})
			}
		}
	}
}

func TestTrailersPassWhereThereIsAPlace(t *testing.T) {
	eachParcel(t, func(t *testing.T, client, server, at string) string {
		p := section(at)
		p.Binds, p.Servers[0].Proto = []settings.Bind{{Proto: client}}, server
		return serve(t, 1, p).addr
	})
}

func TestTrailersPassWhereTheyDoInHAProxy(t *testing.T) {
	eachParcel(t, func(t *testing.T, client, server, at string) string {
		a := reference.Address(t)
		reference.Run(t, fmt.Sprintf("defaults\n mode http\n timeout client 20s\n timeout server 20s\n timeout connect 20s\nlisten l\n bind %s proto %s\n server s %s proto %s\n",
			a, client, at, server))
		return a
	})
}
