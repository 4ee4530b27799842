package expr

import (
	"strings"
	"testing"
)

func TestFormats(t *testing.T) {
	var in Input
	see(t, &in, valueRequests[0])
	for text, want := range map[string]string{
		"app":                              "app",
		"100%%":                            "100%",
		"app-%[path,field(2,/)]-%[method]": "app-api-GET",
		"%[hdr(x-none)]x":                  "x",
		`%[path,regsub("[a-z]","]",g)]`:    "/]]]/]1/].PNG",
		"%[str(a])]b":                      "a]b",
		"%[src]":                           "127.0.0.1",
	} {
		f, err := Loader{}.ParseFormat(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := string(f.Make(&in)); got != want || f.Text != text || len(f.Fetches()) != strings.Count(text, "%[") {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"%ci":      `"%ci": expected %[EXPRESSION], or %% for a percent sign`,
		"a%":       `"%": expected %[EXPRESSION], or %% for a percent sign`,
		"%[path":   `"%[path": expected "]" at the end of the expression`,
		"%[pth]":   `unknown fetch "pth", did you mean "path"?`,
		"%[path)]": `unknown fetch "path)", did you mean "path"?`,
	} {
		if _, err := (Loader{}).ParseFormat(text); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func FuzzFormat(f *testing.F) {
	for _, seed := range []string{"a%[path]b", "%%", `%[str("]")]`, "%[str(')'),field(1,']')]%[", "%[]", "%[path,]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		form, err := Loader{}.ParseFormat(text)
		if err != nil {
			return
		}
		var in Input
		see(t, &in, valueRequests[len(text)%len(valueRequests)])
		form.Make(&in)
	})
}

// What of a body is there is read without the lines of its chunks.
func TestBodiesInChunks(t *testing.T) {
	head := "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	for body, want := range map[string]string{
		"":                                "",
		"3\r\nabc\r\n0\r\n\r\n":           "abc",
		"3;x=y\r\nabc\r\n2\r\nde\r\n":     "abcde",
		"A\r\nabc":                        "abc",
		"3\r\nabc\r\n2":                   "abc",
		"3\r\nabc\r\nx\r\n":               "abc",
		"fffffffff\r\nabc":                "",
		"00003\r\na=b\r\n1\r\n&\r\n0\r\n": "a=b&",
	} {
		var in Input
		see(t, &in, head+body)
		f, err := Parse("req.body")
		if err != nil {
			t.Fatal(err)
		}
		if v, out := f.Get(&in); out != Found || string(v.Str) != want {
			t.Errorf("%q: %q, %d, want %q", body, v.Str, out, want)
		}
	}
}

func TestCapturedHeaders(t *testing.T) {
	in := Input{Captured: [][]byte{[]byte("one"), nil}, CapturedReply: [][]byte{{}}}
	for text, want := range map[string]string{"capture.req.hdr(0)": "one", "capture.req.hdr(1)": "-", "capture.req.hdr(2)": "-", "capture.res.hdr(0)": "", "capture.res.hdr(1)": "-"} {
		f, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		got := "-"
		if v, out := f.Get(&in); out == Found {
			got = string(v.Str)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// Once the room has grown, an evaluation takes none from the heap.
func TestExpressionsDoNotAllocate(t *testing.T) {
	var in Input
	see(t, &in, valueRequests[0])
	head, buf := in.Head, in.Buf
	for _, text := range []string{"path,lower", "base,crc32", "hdr(x-list,1),upper,length", "src,ipmask(24)", "urlp(a),add(1)", "path,field(2,/),base64,hex", "req.hdr_names,lower,word(2,a)", "req.cook(lang)"} {
		f, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Loader{}.Compile(f, "found", nil)
		if err != nil {
			t.Fatal(err)
		}
		run := func() {
			in.Reset()
			in.Final, in.Head, in.Buf = true, head, buf
			f.As(&in, Str)
			m.Match(&in)
		}
		run()
		if n := testing.AllocsPerRun(100, run); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

// What a replacement makes of a client's bytes has an end (CVE-2025-32464, where
// it had none but the buffer's).
func TestReplacementsDoNotGrowWithoutEnd(t *testing.T) {
	many := strings.Repeat("a", 16<<10)
	for text, found := range map[string]bool{
		`req.payload(0,0),regsub(a,b,g)`:          true,
		`req.payload(0,0),regsub(a,"bbbbbbbb",g)`: false,
		`req.payload(0,0),regsub(,"bbbbbbbb",g)`:  false,
		`req.payload(0,0),hex,hex`:                true,
		`req.payload(0,0),hex,hex,hex`:            false,
		`req.payload(0,0),url_enc,json`:           true,
	} {
		f, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		in := Input{Final: true, Data: []byte(many)}
		if _, out := f.Get(&in); (out == Found) != found || cap(in.arena) > 8*longest {
			t.Errorf("%s: %d, with %d bytes of room", text, out, cap(in.arena))
		}
	}
}
