package expr

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"net"
	"testing"
)

// first is the first flight of a TLS client.
func first(t testing.TB, c *tls.Config) []byte {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	go tls.Client(b, c).Handshake()
	buf := make([]byte, 64<<10)
	n, err := a.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

// records cuts a message of one record into records of at most n bytes.
func records(hello []byte, n int) []byte {
	var out []byte
	for body := hello[recordHeader:]; len(body) > 0; {
		k := min(n, len(body))
		out = append(out, 22, 3, 1)
		out = binary.BigEndian.AppendUint16(out, uint16(k))
		out = append(out, body[:k]...)
		body = body[k:]
	}
	return out
}

func TestAClientHelloIsReadHoweverItComes(t *testing.T) {
	hello := first(t, &tls.Config{ServerName: "www.example.com", NextProtos: []string{"h2", "http/1.1"}})
	for _, size := range []int{1, 3, 100, 1 << 14} {
		data := records(hello, size)
		before := bytes.Clone(data)
		for i := 0; i < len(data); i += 1 + size/64 { // not whole before its end
			if _, out := ReadHello(data[:i]); out != Wait {
				t.Fatalf("records of %d: the first %d of %d bytes: %d", size, i, len(data), out)
			}
		}
		h, out := ReadHello(append(data, "more"...))
		if out != Found || h.Type != 1 || string(h.ServerName) != "www.example.com" || string(h.ALPN) != "h2" || h.Version != 0x0303 {
			t.Errorf("records of %d: %+v, %d", size, h, out)
		}
		if !bytes.Equal(data[:len(before)], before) {
			t.Errorf("records of %d: what was read is changed", size)
		}
	}
}

func TestWhatIsNoClientHello(t *testing.T) {
	hello := first(t, &tls.Config{InsecureSkipVerify: true})
	if h, out := ReadHello(hello); out != Found || len(h.ServerName) != 0 {
		t.Errorf("without a name: %+v, %d", h, out)
	}
	other := bytes.Clone(hello)
	other[5] = 2
	if h, out := ReadHello(other); out != Found || h.Type != 2 {
		t.Errorf("a ServerHello: %+v, %d", h, out)
	}
	cut := bytes.Clone(hello)
	cut[6], cut[7], cut[8] = 0, 0, 20 // the message ends in the random
	long := bytes.Clone(hello)
	long[6] = 0xff
	for name, data := range map[string][]byte{
		"a request":               []byte("GET / HTTP/1.1\r\n"),
		"SSLv2":                   {0x80, 0x2e, 1, 0, 2},
		"an empty record":         {22, 3, 1, 0, 0, 1},
		"a record too long":       {22, 3, 1, 0xff, 0xff, 1},
		"another record type":     {23, 3, 3, 0, 1, 1},
		"another version":         {22, 2, 0, 0, 1, 1},
		"a message cut short":     cut,
		"a message of 16 MB":      long,
		"a second record that is": append(records(hello, 50)[:55], 23, 3, 3, 0, 1, 1),
	} {
		if h, out := ReadHello(data); out != Missing {
			t.Errorf("%s: %+v, %d", name, h, out)
		}
	}
}

// A match reads the hello once for what has come, and again when more has.
func TestAHelloIsReadAgainWhenMoreHasCome(t *testing.T) {
	hello := first(t, &tls.Config{ServerName: "a.example"})
	f, err := Parse("req.ssl_sni")
	if err != nil {
		t.Fatal(err)
	}
	in := &Input{Data: hello[:20]}
	if _, out := f.Get(in); out != Wait {
		t.Errorf("a part: %d", out)
	}
	in.Data = hello
	if v, out := f.Get(in); out != Found || string(v.Str) != "a.example" {
		t.Errorf("the whole: %q, %d", v.Str, out)
	}
	in = &Input{Data: hello[:20], Final: true}
	if _, out := f.Get(in); out != Missing {
		t.Errorf("a part, and no more: %d", out)
	}
}

func FuzzReadHello(f *testing.F) {
	hello := first(f, &tls.Config{ServerName: "www.example.com", NextProtos: []string{"h2"}})
	f.Add(hello)
	f.Add(records(hello, 7))
	f.Add([]byte{22, 3, 1, 0, 4, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		h, out := ReadHello(data)
		if !bytes.Equal(before, data) {
			t.Fatal("what was read is changed")
		}
		if out == Found && h.Type == 1 && len(h.ServerName) > len(data) {
			t.Fatalf("%+v", h)
		}
		for i := 0; i < len(data); i += 1 + len(data)/64 { // what was decided early stays decided
			if _, early := ReadHello(data[:i]); early != Wait && early != out {
				t.Fatalf("%d bytes: %d, all %d: %d", i, early, len(data), out)
			}
		}
	})
}
