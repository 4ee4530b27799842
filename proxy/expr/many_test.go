package expr

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"herald/proxy/h1"
)

// However many patterns there are, the one that is found is the one that
// comparing one by one finds.
func TestManyPatternsFindWhatFewFind(t *testing.T) {
	source := rand.New(rand.NewPCG(1, 2))
	text := func(most int) string {
		b := make([]byte, source.IntN(most))
		for i := range b {
			b[i] = "aAb./?:"[source.IntN(7)]
		}
		return string(b)
	}
	for _, method := range []string{"str", "beg", "end", "sub", "dom", "dir"} {
		found := 0
		for range 300 {
			words := make([]string, 5+source.IntN(20))
			for i := range words {
				words[i] = text(7)
			}
			lowered := slices.Clone(words)
			for i := range lowered {
				lowered[i] = strings.ToLower(lowered[i])
			}
			exactly, anyCase := newShort(method, words, false), newShort(method, lowered, true)
			for _, fold := range []bool{false, true} {
				many, err := newSet(method, words, fold, false)
				if err != nil {
					t.Fatal(err)
				}
				for range 20 {
					in, b := &Input{}, []byte(text(12))
					want := exactly.find(in, &Value{Type: Str, Str: b})
					if fold {
						want = anyCase.find(in, &Value{Type: Str, Str: b})
					}
					if got := many.find(in, &Value{Type: Str, Str: bytes.Clone(b)}); got != want {
						t.Fatalf("-m %s, case counts %t, %q in %q: %d, want %d", method, !fold, b, words, got, want)
					}
					if want >= 0 {
						found++
					}
				}
			}
		}
		if found < 100 {
			t.Errorf("-m %s: only %d were found", method, found)
		}
	}
}

// matches is what a criterion answers about an input.
func matches(t *testing.T, in *Input, fetch, method string, patterns ...string) Outcome {
	t.Helper()
	name, by := CutSuffix(fetch)
	if method == "" {
		method = by
	}
	f, err := Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	var lists []List
	if len(patterns) > 0 {
		lists = []List{{Words: patterns}}
	}
	m, err := Loader{}.Compile(f, method, lists)
	if err != nil {
		t.Fatalf("%s: %v", fetch, err)
	}
	return m.Match(in)
}

func TestPatternsOfNumbersAndAddresses(t *testing.T) {
	in := &Input{Final: true, Source: netip.MustParseAddrPort("10.1.2.3:5")}
	for criterion, want := range map[string]Outcome{
		"int(5) 1:4 4:6": Found, "int(7) 1:4 4:6": Missing, "int(5) 6: :4": Missing, "int(5) le 5": Found, "int(5) lt 5": Missing, "int(5) ge 6": Missing, "int(5) gt 4": Found,
		"int(-3) :2": Found, "int(5) 5:": Found, "int(5) 4 5 6 7 8": Found, "int(9) 4 5 6 7 8": Missing,
		"path_len 1": Missing, "str(abc) -m len 3": Found, "str(abc) -m len 1:2": Missing, "str(a) -m int 0": Found,
		"src 10.1.0.0/16": Found, "src 10.1.0.3/255.255.0.255": Found, "src 10.1.0.4/255.255.0.255": Missing, "src 10.1.2.0/255.255.255.0": Found, "src ::/0": Found,
		"src ::ffff:10.1.2.0/120": Found, "src ::ffff:10.1.3.0/120": Missing, "ipv6(2001:db8::1) 2001:db8::/32": Found, "ipv6(2001:db8::1) -m int 1": Missing, "src -m int 167838211": Found,
		"str(10.1.2.3:80) -m ip 10.0.0.0/8": Found, "str(10.1.2.3.4) -m ip 10.0.0.0/8": Missing, "str(300.1.1.1) -m ip 0.0.0.0/0": Missing, "str() -m ip ::/0": Missing,
		"str(::1) -m ip ::1": Found, "int(1) -m ip 0.0.0.1": Found, "bin(6100) -m str a": Found, "bool(1) -m int 1": Found, "int(3) -m bin 0000000000000003": Found,
		"ipv6(::1) -m bin 00000000000000000000000000000001": Found, "src -m found": Found, "dst -m found": Missing, "src": Found, "int(0)": Missing,
	} {
		words := strings.Fields(criterion)
		method := ""
		if len(words) > 1 && words[1] == "-m" {
			method = words[2]
			words = slices.Delete(words, 1, 3)
		}
		if criterion == "src" || criterion == "int(0)" {
			method = "bool"
		}
		if got := matches(t, in, words[0], method, words[1:]...); got != want {
			t.Errorf("%s: %d, want %d", criterion, got, want)
		}
	}
	hello := bare()
	for pattern, want := range map[string]Outcome{"3.3": Found, "3.1:3.2": Missing, "3.1:3.4": Found, "197379": Missing, "196611": Found} {
		if got := matches(t, &Input{Final: true, Data: hello}, "req.ssl_ver", "", pattern); got != want {
			t.Errorf("req.ssl_ver %s: %d, want %d", pattern, got, want)
		}
	}
}

// The end of a name says how to compare, unless there is a fetch of that name.
func TestOldNamesAreCutApart(t *testing.T) {
	for text, want := range map[string][2]string{
		"path_beg": {"path", "beg"}, "hdr_dom(host)": {"hdr(host)", "dom"}, "path_beg,lower": {"path,lower", "beg"}, "url_reg": {"url", "reg"}, "base_len": {"base", "len"},
		"req.body_len": {"req.body_len", ""}, "src_beg": {"src_beg", ""}, "pth_beg": {"pth_beg", ""}, "path": {"path", ""},
	} {
		if fetch, method := CutSuffix(text); fetch != want[0] || method != want[1] {
			t.Errorf("%s: %s and %q, want %s and %q", text, fetch, method, want[0], want[1])
		}
	}
}

// A file is read once for all who use it alike.
func TestFilesAreReadOnce(t *testing.T) {
	read := map[string]int{}
	files := Loader{Made: map[string]any{}, Read: func(name string) ([]byte, error) {
		if read[name]++; name == "none" {
			return nil, errors.New("none: no such file or directory")
		}
		return map[string][]byte{"map": []byte("# who\na.example one\r\n\n b.example  two words \n"), "list": []byte("a.example\n")}[name], nil
	}}
	in := &Input{Final: true}
	for text, want := range map[string]string{"str(a.example),map(map)": "one", "str(b.example),map(map)": "two words", "str(c.example),map(map)": "-", "str(c.example),map(map,else)": "else",
		"str(a.example),map(empty,else)": "else", "str(1),map_int_ip(empty,::1)": "::1"} {
		f, err := files.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		got := "-"
		if v, out := f.As(in, Str); out == Found {
			got = string(v.Str)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	host, err := files.Parse("str(a.example)")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		m, err := files.Compile(host, "str", []List{{File: "list"}})
		if err != nil || m.Match(in) != Found {
			t.Fatalf("a.example in a file: %v", err)
		}
	}
	if read["map"] != 1 || read["list"] != 1 {
		t.Errorf("read so often: %v, want each once", read)
	}
	if _, err := files.Compile(host, "str", []List{{File: "none"}}); err == nil || err.Error() != "none: no such file or directory" {
		t.Errorf("a file that is not there: %v", err)
	}
	for text, want := range map[string]string{"str(a),map_str_int(map)": `map_str_int: file map: a.example: "one" is not an integer`, "src,map_ip(map)": `map_ip: file map: "a.example" is not ADDRESS[/MASK]; names are not resolved`} {
		if _, err := files.Parse(text); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// What an expression needs, and what it says of itself.
func TestExpressionsSayWhatTheyNeed(t *testing.T) {
	for _, c := range []struct {
		text  string
		there Place
		lacks bool
	}{
		{"path", Session | Request, true}, {"path", Head, false}, {"res.hdr(a)", Head, true}, {"res.hdr(a)", Answer, false}, {"hdr(a)", Answer, false}, {"hdr(a)", Head, false},
		{"hdr(a)", Session, true}, {"src", 0, false}, {"srv_id", Request, true}, {"be_id", Inside, false},
	} {
		f, err := Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if f.Lacks(c.there) != c.lacks {
			t.Errorf("%s at %b lacks something: %t, want %t", c.text, c.there, !c.lacks, c.lacks)
		}
		if want := c.text == "path" || c.text == "hdr(a)"; f.HTTP() != want {
			t.Errorf("%s looks at a head: %t", c.text, !want)
		}
	}
	for text, want := range map[string]string{"str(a),upper": "A", "env(X)": "-", "path": "-", "int(5)": "-"} {
		f, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		got := "-"
		if fixed, is := f.Fixed(); is {
			got = fixed
		}
		if got != want {
			t.Errorf("%s is fixed: %s, want %s", text, got, want)
		}
	}
	if n := Bracketed(`[str("a]\"]b"),field(1,])]c`); n != len(`[str("a]\"]b"),field(1,])]`) {
		t.Errorf("the expression ends at %d", n)
	}
	f, err := Parse("src")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Loader{}.Compile(f, "", nil)
	if err != nil || !m.Empty() || m.HTTP() || m.Fetch().Name != "src" || m.Match(&Input{Source: netip.MustParseAddrPort("10.1.2.3:4")}) != Missing {
		t.Errorf("src without patterns: %v, %+v, want what never matches", err, m)
	}
}

// Another expression can be evaluated while a value holds.
func TestInputsBeside(t *testing.T) {
	var in Input
	see(t, &in, valueRequests[0])
	upper, lower := "path,upper", "path,lower"
	f, err := Parse(upper)
	if err != nil {
		t.Fatal(err)
	}
	v, _ := f.As(&in, Str)
	if got := valueIn(t, in.Beside(), lower); got != "/api/v1/x.png" {
		t.Errorf("%s beside: %s", lower, got)
	}
	if got := string(v.Str); got != "/API/V1/X.PNG" {
		t.Errorf("%s, when another was evaluated beside: %s", upper, got)
	}
	in.arena = make([]byte, 0, 2*mostKept)
	if in.Reset(); cap(in.arena) > mostKept {
		t.Errorf("%d bytes of room are kept, want at most %d", cap(in.arena), mostKept)
	}
}

func TestOddValues(t *testing.T) {
	look := func(request string) *Input {
		in := new(Input)
		see(t, in, request)
		return in
	}
	get, long := "GET / HTTP/1.1\r\nHost: a\r\n\r\n", strings.Repeat("x", 3000)
	for _, c := range []struct{ in, text, want string }{
		{get, fmt.Sprintf("int(%d),sub(%d)", -1, math.MinInt64), fmt.Sprint(math.MaxInt64)},
		{get, fmt.Sprintf("int(0),sub(%d)", math.MinInt64), fmt.Sprint(math.MaxInt64)},
		{get, "str(q),url_dec", "q"}, {get, "str(%4),url_dec", "-"}, {get, "str(%4x),url_dec", "-"}, {get, "str(zz),hex2i", "-"}, {get, "str(YQ=),b64dec", "-"},
		{get, `str("a/b/c"),regsub("^[a-z]","X",g)`, "X/b/c"}, {get, `str("abab"),regsub("^a|b","X",g)`, "XXaX"},
		{get, `str("de;q=1.0,en;q=0.9x,fr;q=0.x"),language(fr;en;de)`, "de"}, {get, `str("en;q=0.9x,fr;q=0.x"),language(fr;en)`, "en"}, {get, `str("fr;q=0.x"),language(fr;en)`, "-"},
		{get, `str("fr"),language(en,none)`, "none"},
		{"GET http://a.example?x HTTP/1.1\r\nHost: a.example\r\n\r\n", "path", "-"},
		{"GET http://[2001:db8::1]:8080/x HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n", "url_ip", "2001:db8::1"},
		{"GET http://[2001:db8::1]:8080/x HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n", "url_port", "8080"},
		{"GET / HTTP/1.0\r\n\r\n", "capture.req.ver", "HTTP/1.0"}, {get, "capture.req.ver", "HTTP/1.1"}, {get, "capture.req.method", "GET"}, {get, "capture.req.uri", "/"},
		{"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + long + "\r\n\r\n", "req.hdrs_bin,hex,length", fmt.Sprint(2 * (1 + 4 + 1 + 1 + 1 + 6 + 3 + 3000 + 2))},
		{"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + long[:300] + "\r\n\r\n", "req.hdrs_bin,hex,bytes(28,4)", "FC03"},
	} {
		if got := valueIn(t, look(c.in), c.text); got != c.want {
			t.Errorf("%s: %s, want %s", c.text, got, c.want)
		}
	}
	in := look(get)
	in.HTTP2 = true
	if got := valueIn(t, in, "req.ver"); got != "2.0" {
		t.Errorf("req.ver by HTTP/2: %s", got)
	}
	for _, text := range []string{"path", "req.hdr(a)", "req.body", "req.body_size", "req.body_len", "req.fhdr(a)", "req.hdr_names", "req.hdrs", "req.cook(a)", "urlp(a)", "base32", "url_ip", "url_port", "hdr_cnt(a)", "status", "res.hdr(a)", "res.ver", "capture.req.uri", "capture.req.ver"} {
		if got := valueIn(t, &Input{Final: true}, text); got != "-" {
			t.Errorf("%s where there is no head: %s", text, got)
		}
	}
	line := &Input{Line: []byte("POST /x HTTP/1.0"), Reply: &h1.Head{}}
	for text, want := range map[string]string{"capture.req.method": "POST", "capture.req.uri": "/x", "capture.req.ver": "HTTP/1.0"} {
		if got := valueIn(t, line, text); got != want {
			t.Errorf("%s behind the request: %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]string{"\xed\xa0\x80": "-", "\xe0\x80\xaf": "-", "\xf0\x80\x80\xaf": "-", "\xe2\x82": "-", "\xf8": "-", "\xc3\xa9": `\u00e9`, "\xf0\x9f\x98\x80": "-"} {
		if got := valueIn(t, &Input{Final: true, Data: []byte(text)}, "req.payload(0,0),json(utf8)"); got != want {
			t.Errorf("json(utf8) of %x: %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]string{"\xe0\x80\xafx": `\/x`, "\xf0\x80\x80\xafx": `\/x`, "\xed\xa0\x80x": "x", "a\xe2\x82": "a"} {
		if got := valueIn(t, &Input{Final: true, Data: []byte(text)}, "req.payload(0,0),json(utf8ps)"); got != want {
			t.Errorf("json(utf8ps) of %x: %s, want %s", text, got, want)
		}
	}
}
