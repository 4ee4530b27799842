package expr

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"net/netip"
	"slices"
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

// bare is a ClientHello of TLS 1.2 with the extensions given, and their length
// in front; without any there is none.
func bare(extensions ...byte) []byte {
	body := slices.Concat([]byte{3, 3}, make([]byte, 32), []byte{0, 0, 2, 0x13, 1, 1, 0})
	if len(extensions) > 0 {
		body = append(append(body, 0, byte(len(extensions))), extensions...)
	}
	return slices.Concat([]byte{22, 3, 1, 0, byte(len(body) + 4), 1, 0, 0, byte(len(body))}, body)
}

func TestTicketsOfHellos(t *testing.T) {
	for ticket, extensions := range map[int][]byte{0: nil, 1: {0, 35, 0, 0}, 2: {0, 35, 0, 3, 1, 2, 3}} {
		h, out := ReadHello(bare(extensions...))
		if out != Found || h.Ticket != ticket || h.Version != 0x303 {
			t.Errorf("extensions %x: %d, ticket %d, version %x, want ticket %d", extensions, out, h.Ticket, h.Version, ticket)
		}
	}
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
		"no extensions":        {bare(), Found, ""},
		"an extension cut off": {bare(0, 0, 0, 9, 0), Missing, ""},
		"half an extension":    {bare(0), Missing, ""},
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
	for _, r := range Converters.Rows() {
		f.Add(r.Example + " x")
	}
	f.Add("path,lower -i x")
	f.Add("hdr(a,b),upper,lower x")
	f.Add("src 1.2.3.4/255.0.255.0")
	f.Add(`str("a\"b\\"),regsub('(.)','\1',g),field(-2,",)") y`)
	f.Add("int(9223372036854775807),mul(-9),div(0),mod(-1) 1:2")
	files := Loader{Read: func(string) ([]byte, error) { return []byte("a b\n10.0.0.0/8 1.2.3.4\n7 8\n"), nil }}
	f.Fuzz(func(t *testing.T, text string) {
		words := strings.Fields(text)
		if len(words) == 0 {
			return
		}
		name, method := CutSuffix(words[0])
		fetch, err := files.Parse(name)
		if err != nil {
			return
		}
		m, err := files.Compile(fetch, method, []List{{Words: words[1:]}, {Words: words[1:], Fold: true}})
		if err != nil {
			return
		}
		in := Input{Final: true, Data: []byte(text), Source: netip.MustParseAddrPort("10.1.2.3:4")}
		m.Match(&in)
		see(t, &in, valueRequests[len(text)%len(valueRequests)])
		m.Match(&in)
		for _, to := range []Type{Bool, Int, Str, Addr, Bin} {
			fetch.As(&in, to)
		}
	})
}

// Converters take whatever a client sends.
func FuzzConvert(f *testing.F) {
	var convs []Fetch
	for _, r := range Converters.Rows() {
		_, call, _ := strings.Cut(r.Example, ",")
		if strings.HasPrefix(call, "map") {
			call = r.Name + "(x)"
		} else if i := strings.LastIndex(r.Example, r.Name); i > 0 {
			call = r.Example[i:]
		}
		files := Loader{Read: func(string) ([]byte, error) { return []byte("1 2\n"), nil }}
		c, err := files.Parse("req.payload(0,0)," + call)
		if err != nil {
			c, err = files.Parse("req.payload(0,0),hex2i," + call)
		}
		if err != nil {
			c, err = files.Parse("req.payload(0,0),lower," + call)
		}
		if err == nil {
			convs = append(convs, c)
		}
	}
	if len(convs) < len(Converters.Rows())*3/4 {
		f.Fatalf("only %d of %d converters take what is sent", len(convs), len(Converters.Rows()))
	}
	for _, seed := range []string{"", "a", "%41+%zz", "a.b..c", "fr;q=0.5,en", "\xff\xfe\xc0\xaf\xf0\x9f\x98\x80", "-12", "10.1.2.3:80", "YQ==", "[::1]:80", "0f\x00"} {
		f.Add(seed)
	}
	var in Input
	f.Fuzz(func(t *testing.T, text string) {
		for i := range convs {
			in.Reset()
			in.Final, in.Data = true, []byte(text)
			for _, to := range []Type{Str, Int, Addr} {
				convs[i].As(&in, to)
			}
			if string(in.Data) != text {
				t.Fatalf("%s changes what it reads", convs[i].Name)
			}
		}
	})
}

func TestEveryFetchAndConverterIsDocumentedAndItsExampleCompiles(t *testing.T) {
	files := Loader{Read: func(string) ([]byte, error) { return []byte("1 1\n10.0.0.1 10.0.0.2\n"), nil }}
	for _, r := range Fetches.Rows() {
		if r.Doc == "" {
			t.Errorf("%s has no doc", r.Name)
		}
		if r.Do.Cannot != "" {
			continue
		}
		words := strings.Fields(r.Example)
		var lists []List
		method := ""
		if len(words) > 1 && words[1] == "-i" {
			lists, words = append(lists, List{}), append(words[:1], words[2:]...)
		}
		if len(words) > 2 && words[1] == "-m" {
			method, words = words[2], append(words[:1], words[3:]...)
		}
		f, err := Parse(words[0])
		if err == nil {
			if len(words) > 1 {
				lists = []List{{Words: words[1:]}}
			}
			_, err = files.Compile(f, method, lists)
		}
		if err != nil || f.Name != r.Name {
			t.Errorf("%s: example %q: %v", r.Name, r.Example, err)
		}
	}
	for _, r := range Converters.Rows() {
		key, value := "1", "1"
		if strings.HasPrefix(r.Name, "map_ip") {
			key = "10.0.0.1"
		}
		if strings.HasSuffix(r.Name, "_ip") && r.Name != "map_ip" {
			value = "10.0.0.2"
		}
		files := Loader{Read: func(string) ([]byte, error) { return []byte(key + " " + value + "\n"), nil }}
		if _, err := files.Parse(r.Example); err != nil || r.Doc == "" || !strings.Contains(r.Example, ","+r.Name) {
			t.Errorf("%s: example %q: %v", r.Name, r.Example, err)
		}
	}
}

func TestWhatCannotBeCompiledIsNamed(t *testing.T) {
	for text, want := range map[string]string{
		"src 10.0.0.0/x":      `"10.0.0.0/x" is not ADDRESS[/MASK]; names are not resolved`,
		"path,lowr a":         `unknown converter "lowr", did you mean "lower"?`,
		"bin(00),add(1) 1":    "converter add takes a value of type integer, bin is of type binary",
		"urlpp(a) 1":          `unknown fetch "urlpp", did you mean "urlp"?`,
		"path_begg /api":      `unknown fetch "path_begg", did you mean "path_beg"?`,
		"cook(a":              `"cook(a": expected ")" at the end`,
		"path,field(1) x":     "field takes 2 to 3 arguments, not 1",
		"path,field(0,/) x":   "field: counts from 1 or -1, and expects characters between the parts",
		"path(a) x":           "path takes no argument",
		"src,ipmask(33) x":    "ipmask: argument 1: a mask has 0 to 32 bits, not 33",
		"path,regsub((,) x":   "regsub: regular expression \"(\": error parsing regexp: missing closing ): `(`",
		"path)x":              `unknown fetch "path)x", did you mean "path"?`,
		"str(a)b x":           `expected a comma and a converter at "b"`,
		"path,digest(sha3) x": `digest: "sha3" is not a digest that is here: md5, sha1, sha224, sha256, sha384 or sha512`,
		"path,map(/none) x":   `map: file "/none": no files can be read here`,
		"path,json(utf9) x":   `json: "utf9" is not ascii, utf8, utf8s, utf8p or utf8ps`,
	} {
		words := strings.Fields(text)
		f, err := Parse(words[0])
		if err == nil {
			_, err = Loader{}.Compile(f, "", []List{{Words: words[1:]}})
		}
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
