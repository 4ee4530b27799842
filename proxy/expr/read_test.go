package expr

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"strings"
	"testing"
)

// withExtension appends an extension to a hello of one record.
func withExtension(hello []byte, kind int, body []byte) []byte {
	message := bytes.Clone(hello[recordHeader:])
	b := reader(message[4+2+32:])
	b.vector(1)
	b.vector(2)
	b.vector(1)
	at := len(message) - len(b)
	message = append(message, byte(kind>>8), byte(kind), byte(len(body)>>8), byte(len(body)))
	message = append(message, body...)
	put := func(at, n int) { message[at], message[at+1] = byte(n>>8), byte(n) }
	put(at, len(message)-at-2)
	put(2, len(message)-4)
	return append([]byte{22, 3, 1, byte(len(message) >> 8), byte(len(message))}, message...)
}

func TestHellosThatAreNoneOrOdd(t *testing.T) {
	plain := first(t, &tls.Config{InsecureSkipVerify: true})
	named := first(t, &tls.Config{InsecureSkipVerify: true, ServerName: "a.example"})
	second := []byte("\x00\x0c\x00\x00\x09b.example")
	longer := bytes.Clone(plain)
	longer[3], longer[4] = 0xff, 0xff
	trailing := append(bytes.Clone(plain), 0)
	binary.BigEndian.PutUint16(trailing[3:], uint16(len(trailing)-5))
	binary.BigEndian.PutUint16(trailing[7:], uint16(len(trailing)-9))
	for name, c := range map[string]struct {
		data []byte
		out  Outcome
		sni  string
	}{
		"no name":              {plain, Found, ""},
		"a name":               {named, Found, "a.example"},
		"GREASE":               {withExtension(named, 0x0a0a, []byte{0}), Found, "a.example"},
		"a name behind GREASE": {withExtension(withExtension(plain, 0xfafa, nil), 0, second), Found, "b.example"},
		"two names":            {withExtension(named, 0, second), Missing, ""},
		"an empty list":        {withExtension(plain, 0, []byte{0, 0}), Found, ""},
		"a list cut off":       {withExtension(plain, 0, []byte{0, 9, 0}), Found, ""},
		"another kind of name": {withExtension(plain, 0, []byte("\x00\x06\x07\x00\x03abc")), Found, ""},
		"a tail in the hello":  {trailing, Missing, ""},
		"a record too long":    {longer, Missing, ""},
		"an empty record":      {[]byte{22, 3, 1, 0, 0}, Missing, ""},
		"SSLv2":                {[]byte{0x80, 0x2e, 1, 0, 2, 0, 21, 0, 0, 0, 16}, Missing, ""},
		"SSH":                  {[]byte("SSH-2.0-OpenSSH\r\n"), Missing, ""},
		"an alert":             {[]byte{21, 3, 1, 0, 2, 1, 0}, Missing, ""},
		"a ServerHello":        {[]byte{22, 3, 3, 0, 4, 2, 0, 0, 0}, Found, ""},
		"a hello too long":     {[]byte{22, 3, 1, 1, 0, 1, 1, 0, 0}, Missing, ""},
		"a hello without body": {[]byte{22, 3, 1, 0, 4, 1, 0, 0, 0}, Missing, ""},
		"nothing":              {nil, Wait, ""},
	} {
		h, out := ReadHello(c.data)
		if out != c.out || string(h.ServerName) != c.sni {
			t.Errorf("%s: %d with name %q, want %d with %q", name, out, h.ServerName, c.out, c.sni)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, r := range Fetches.Rows() {
		f.Add(r.Example)
	}
	f.Add("path,lower -i x")
	f.Add("hdr(a,b),upper,lower x")
	f.Add("src 1.2.3.4/255.0.255.0")
	f.Fuzz(func(t *testing.T, text string) {
		words := strings.Fields(text)
		if len(words) == 0 {
			return
		}
		name, method := CutSuffix(words[0])
		fetch, err := Parse(name)
		if err != nil {
			return
		}
		m, err := Compile(fetch, Flags{Method: method}, words[1:])
		if err != nil {
			return
		}
		m.Match(&Input{Final: true, Data: []byte(text)})
	})
}

func TestWhatCannotBeCompiledIsNamed(t *testing.T) {
	for text, want := range map[string]string{
		"src 10.0.0.0/255.0.255.0": `"10.0.0.0/255.0.255.0" is not ADDRESS[/MASK]`,
		"path,lowr a":              `converter "lowr" is not supported, expected lower or upper, did you mean "lower"?`,
		"src,lower 1.2.3.4":        "converter lower takes a string, src is of type address",
		"hdr_cnt 1":                "hdr_cnt takes 1 to 1 arguments, not 0",
		"urlpp(a) 1":               `unknown fetch "urlpp", did you mean "urlp"?`,
		"cook(a":                   `"cook(a": expected ")" at the end`,
	} {
		words := strings.Fields(text)
		f, err := Parse(words[0])
		if err == nil {
			_, err = Compile(f, Flags{}, words[1:])
		}
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
