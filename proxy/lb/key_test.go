package lb

import (
	"net/netip"
	"testing"
)

// headers are one field each.
type headers map[string]string

func (h headers) Value(name string, n int) ([]byte, bool) {
	v, ok := h[name]
	return []byte(v), ok && (n == 0 || n == -1)
}

func TestAnIPv6SourceIsFoldedWordByWord(t *testing.T) {
	key, err := KeyOf("source", Args{})
	if err != nil {
		t.Fatal(err)
	}
	q := &Request{Source: netip.MustParseAddrPort("[2001:db8::5]:1")}
	if got, ok := key(q, Hash{}); !ok || got != 0x20010db8^5 {
		t.Errorf("got %x, %v", got, ok)
	}
	if _, ok := key(&Request{}, Hash{}); ok {
		t.Error("a unix socket has an address")
	}
}

func TestHashNoneTakesTheNumberItself(t *testing.T) {
	for text, want := range map[string]uint32{"": 0, "17": 17, "-1": 1<<32 - 1, "12x": 12, "x": 0, "4294967297": 1} {
		if got := (Hash{Function: "none"}).Of([]byte(text)); got != want {
			t.Errorf("%q: want %d, got %d", text, want, got)
		}
	}
}

func TestKeysDoNotAllocate(t *testing.T) {
	q := &Request{Source: netip.MustParseAddrPort("192.0.2.1:5"), Target: netip.MustParseAddrPort("192.0.2.2:80"), HTTP: true,
		Method: []byte("GET"), URI: []byte("/a/b?id=5"), Headers: &fixedHeader{}}
	for algorithm, a := range map[string]Args{"source": {}, "uri": {Depth: 1}, "url_param": {Name: "id"}, "hdr": {Name: "Host"}} {
		key, err := KeyOf(algorithm, a)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { key(q, Hash{}) }); n != 0 {
			t.Errorf("%s: %v allocations", algorithm, n)
		}
	}
}

type fixedHeader struct{}

var exampleHost = []byte("www.example.org")

func (*fixedHeader) Value(string, int) ([]byte, bool) { return exampleHost, true }

func FuzzKeys(f *testing.F) {
	f.Add("a,b", "/x?y=z", "id=1")
	f.Add(`"a\"`, "http://a/b?id;id=", "\x03\x00\x00\x00\x00\xe0\x00\x00\x00\x00\x00Cookie: mstshash=u\r\n")
	f.Add("a=b;,=", "*", "")
	f.Fuzz(func(t *testing.T, header, uri, body string) {
		q := &Request{HTTP: true, Method: []byte("POST"), URI: []byte(uri), Body: []byte(body), Payload: []byte(body),
			Headers: headers{"a": header, "host": header, "cookie": header}}
		for _, algorithm := range []string{"uri", "url_param", "hdr", "rdp-cookie", "source"} {
			a := Args{Name: "a", Len: len(header) % 7, Depth: len(uri) % 4, DomainOnly: len(body)%2 == 0}
			if key, err := KeyOf(algorithm, a); err == nil {
				key(q, Hash{Function: "wt6", Avalanche: true})
			}
		}
	})
}
