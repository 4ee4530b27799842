package rule

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"herald/proxy/expr"
	"herald/proxy/h1"
)

// world has one backend with two servers up.
type world struct{}

func (world) Now() time.Time                   { return time.Unix(1700000000, 0) }
func (world) Chance() uint64                   { return 1 << 63 }
func (world) Name(expr.Name) string            { return "" }
func (world) Link(expr.Side) (expr.Link, bool) { return expr.Link{}, false }
func (world) TLS(expr.Side) *expr.Security     { return nil }
func (world) TCP(expr.Side) (expr.TCP, bool)   { return expr.TCP{}, false }
func (world) Number(m expr.Measure, of expr.Reference) (int64, bool) {
	return 2, m == expr.BackendServersUp && of.Name == "app"
}

// request is what a rule sees of a request from 10.1.2.3.
func request(t testing.TB, text string) *expr.Input {
	in := &expr.Input{Source: netip.MustParseAddrPort("10.1.2.3:4711"), Destination: netip.MustParseAddrPort("192.0.2.1:443"), Final: true,
		Head: &h1.Head{}, Buf: []byte(text), World: world{}}
	if v := in.Head.ParseRequest(in.Buf); v != h1.Complete {
		t.Fatalf("%q: %v", text, v)
	}
	return in
}

func TestConditions(t *testing.T) {
	names := new(Names)
	for _, a := range []string{"api path_beg /api/", "api path /v2", "inside src 10.0.0.0/8", "www hdr(host) -i www.example.com", "old hdr_end(host) .old"} {
		words := strings.Fields(a)
		if err := names.Add(words[0], words[1:]); err != nil {
			t.Fatal(err)
		}
	}
	in := request(t, "GET /api/x?a=b HTTP/1.1\r\nHost: WWW.Example.com\r\nX-List: a, b\r\nX-List: c\r\n\r\n")
	for cond, want := range map[string]bool{
		"TRUE": true, "FALSE": false, "!FALSE": true, "! FALSE": true, "!!TRUE": true,
		"api": true, "api inside": true, "api !inside": false, "!api or inside": true, "!api || old": false,
		"{ path_beg /api/ }": true, "!{ path_beg /api/ }": false, "{ path /api/x }": true, "{ path /api }": false,
		"{ path_end /x }": true, "{ path_sub pi/ }": true, "{ path_dir api }": true, "{ path_dir ap }": false, "{ path_reg ^/a.*x$ }": true,
		"{ path -m len 6 }": true, "{ path -m len gt 6 }": false, "{ url_sub a=b }": true, "{ query a=b }": true,
		"www": true, "{ hdr(host) www.example.com }": false, "{ hdr_dom(host) -i example.com }": true, "{ hdr_dom(host) -i xample.com }": false,
		"{ hdr(x-list) b }": true, "{ hdr(x-list) -m beg c }": true, "{ hdr(x-list) d }": false, "{ hdr(x-none) -m found }": false, "{ hdr(host) -m found }": true,
		"{ src 10.1.2.0/255.255.255.0 }": true, "{ src 10.1.3.0/24 192.0.2.9 }": false, "{ src ::1 }": false,
		"{ dst 192.0.2.1 }": true, "{ dst_port 443 }": true, "{ dst_port 400:450 }": true, "{ dst_port 444: }": false, "{ dst_port :443 }": true,
		"{ src_port gt 1024 lt 100 }": true, "{ src_port ge 4711 }": true, "{ src_port le 4710 }": false,
		"METH_GET": true, "METH_POST": false, "HTTP_1.1": true, "HTTP_1.0": false, "LOCALHOST": false, "HTTP_URL_SLASH": true, "REQ_CONTENT": true, "WAIT_END": true,
		"{ nbsrv(app) ge 2 }": true, "{ nbsrv(app) lt 2 }": false, "{ nbsrv(other) lt 2 }": false, "{ method GET POST }": true, "{ method -m str -- GET }": true,
		"{ ssl_fc }": false, "!{ ssl_fc }": true, "{ req.ssl_sni -m found }": false,
	} {
		c, err := names.Condition(strings.Fields(cond))
		if err != nil {
			t.Errorf("%s: %v", cond, err)
			continue
		}
		if got := c.Holds(in) == expr.Found; got != want {
			t.Errorf("%s: %v", cond, got)
		}
		c = c.Unless()
		if got := c.Holds(in) == expr.Found; got == want {
			t.Errorf("unless %s: %v", cond, got)
		}
	}
}

// A condition says what it looks at, what of it a place lacks, and which of its
// fetches has no patterns.
func TestConditionsSayWhatTheyLookAt(t *testing.T) {
	names := new(Names)
	if err := names.Add("api", []string{"path", "-n", "-u", "7", "/api"}); err != nil {
		t.Fatal(err)
	}
	copied := names.Clone()
	if err := copied.Add("other", []string{"status", "200"}); err != nil {
		t.Fatal(err)
	}
	if _, err := names.Condition([]string{"other"}); err == nil || err.Error() != `unknown ACL "other"` {
		t.Errorf("an ACL of a copy: %v", err)
	}
	c, err := copied.Condition(strings.Fields("api { src } or !other"))
	if err != nil {
		t.Fatal(err)
	}
	var uses []string
	for _, f := range c.Uses() {
		uses = append(uses, f.Name)
	}
	if got := strings.Join(uses, " "); got != "path src status" || c.Empty() != "src" {
		t.Errorf("it looks at %s, without patterns is %q; want path src status and src", got, c.Empty())
	}
	for there, want := range map[expr.Place]string{expr.Session: "path", expr.Head: "status", expr.Head | expr.Answer: ""} {
		if got := c.Lacks(there); got != want {
			t.Errorf("at %b it lacks %q, want %q", there, got, want)
		}
	}
	if err := names.Add("broken", []string{"pth"}); err == nil || err.Error() != `unknown fetch "pth", did you mean "path"?` {
		t.Errorf("a broken ACL: %v", err)
	}
	if got := Choose([]Choice{{If: c}}, &expr.Input{Final: true, Reply: &h1.Head{Status: 200}}); got != -1 {
		t.Errorf("chose %d where no condition holds", got)
	}
	if got := (Gates{{Close: true}}).Decide(&expr.Input{}); got != Close {
		t.Errorf("a rule that closes: %d, want %d", got, Close)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	names := new(Names)
	names.Add("api", []string{"path", "/"})
	for cond, want := range map[string]string{
		"":                       "a condition is missing",
		"or api":                 `nothing stands before "or"`,
		"api or":                 `nothing stands behind "or"`,
		"apo":                    `did you mean "api"?`,
		"{ }":                    "a criterion is missing",
		"{ pth / }":              `did you mean "path"?`,
		"{ path -m stir / }":     "-m stir is not one of found",
		"{ path -m }":            "-m expects a method",
		"{ path -x / }":          `unknown flag "-x"`,
		"{ path_reg ( }":         "regular expression",
		"{ dst_port x }":         `"x" is not an integer`,
		"{ src x/y }":            "not ADDRESS",
		"{ src -m beg(1) 10 }":   "-m beg(1) is not one of",
		"{ hdr(a,b) x }":         `hdr: argument 2: "b" is not an integer`,
		"{ hdr(host x }":         `expected ")" at the end`,
		"{ bin(00) -m int 1 }":   "bin is of type binary, which -m int cannot compare",
		"{ bin(00) 00 }":         "bin is binary: say how to compare it with -m",
		"{ path -m bin 0 }":      `"0" is not hexadecimal`,
		"{ path /":               "\"{\" has no \"}\"",
		"{ path -u }":            "-u expects a word behind it",
		"{ path -f }":            "-f expects a word behind it",
		"{ path -f none }":       "no files can be read here",
		"{ req.payload(a,1) x }": `"a" is not an integer`,
		"{ path,lowr x }":        `did you mean "lower"?`,
		"{ path,set-var(a) x }":  `converter "set-var" is known to HAProxy but not supported yet`,
		"{ sc0_conn_cnt gt 1 }":  `fetch "sc0_conn_cnt" is known to HAProxy but not supported yet`,
		"{ ssl_fc_npn x }":       "ssl_fc_npn is known to HAProxy and not available here: crypto/tls speaks ALPN alone",
		"{ path,add(txn.a) 1 }":  `variable "txn.a": variables are not supported yet`,
		"{ url_ipp 1 }":          `did you mean "url_ip"?`,
	} {
		if _, err := names.Condition(strings.Fields(cond)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", cond, err, want)
		}
	}
}

// A rule that has to wait holds the list up, unless it can no more hold.
func TestGatesWaitForWhatTheyNeed(t *testing.T) {
	gates := func(rules ...string) (g Gates) {
		for _, r := range rules {
			verb, cond, _ := strings.Cut(r, " if ")
			c := Condition{}
			if cond != "" {
				var err error
				if c, err = new(Names).Condition(strings.Fields(cond)); err != nil {
					t.Fatal(err)
				}
			}
			g = append(g, Gate{Reject: verb == "reject", If: c})
		}
		return g
	}
	for name, tc := range map[string]struct {
		g     Gates
		data  string
		final bool
		want  Verdict
	}{
		"no rules":               {nil, "", false, Accept},
		"no condition":           {gates("reject"), "", false, Reject},
		"nothing yet":            {gates("accept if { req.ssl_hello_type 1 }", "reject"), "", false, Pending},
		"a part":                 {gates("accept if { req.ssl_hello_type 1 }", "reject"), "\x16\x03\x01", false, Pending},
		"no TLS":                 {gates("accept if { req.ssl_hello_type 1 }", "reject"), "SSH-2.0", false, Reject},
		"a part, and no more":    {gates("accept if { req.ssl_hello_type 1 }", "reject"), "\x16\x03\x01", true, Reject},
		"wait for the end":       {gates("accept if WAIT_END"), "x", false, Pending},
		"the end":                {gates("reject if WAIT_END"), "x", true, Reject},
		"content":                {gates("accept if REQ_CONTENT", "reject"), "x", false, Accept},
		"cannot hold any more":   {gates("accept if FALSE WAIT_END", "reject"), "", false, Reject},
		"an alternative holds":   {gates("accept if WAIT_END or TRUE", "reject"), "", false, Accept},
		"too short as yet":       {gates("accept if { req.len gt 3 }", "reject"), "SSH", false, Pending},
		"too short for good":     {gates("accept if { req.len gt 3 }", "reject"), "SSH", true, Reject},
		"long enough":            {gates("accept if { req.len gt 2 }", "reject"), "SSH", false, Accept},
		"all so far":             {gates("reject if { req.payload(0,0) -m sub zz }"), "SSH", false, Pending},
		"payload":                {gates("accept if { req.payload(0,4) -m str SSH- }", "reject"), "SSH-2.0", false, Accept},
		"payload not yet":        {gates("accept if { req.payload(0,4) -m str SSH- }", "reject"), "SS", false, Pending},
		"payload never":          {gates("accept if { req.payload(0,4) -m str SSH- }", "reject"), "SS", true, Reject},
		"unless, while it waits": {Gates{{Reject: true, If: gates("x if WAIT_END")[0].If.Unless()}}, "", false, Pending},
	} {
		in := &expr.Input{Data: []byte(tc.data), Final: tc.final}
		if got := tc.g.Decide(in); got != tc.want {
			t.Errorf("%s: %d, want %d", name, got, tc.want)
		}
	}
}

// chosen are five choices, and a request that the last of them is for.
func chosen(t testing.TB) (list []Choice, seen *expr.Input) {
	names := new(Names)
	for _, cond := range []string{"{ path_beg /static/ }", "{ hdr(host) -i a.example b.example }", "{ method POST PUT }", "{ src 192.0.2.0/24 }", "{ hdr_dom(host) -i example.com }"} {
		c, err := names.Condition(strings.Fields(cond))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, Choice{Name: "x", If: c})
	}
	return list, request(t, "GET /api/x?a=b HTTP/1.1\r\nHost: WWW.Example.com\r\nUser-Agent: x\r\n\r\n")
}

func TestChoosingAllocatesNothing(t *testing.T) {
	list, seen := chosen(t)
	in := new(expr.Input)
	if n := testing.AllocsPerRun(100, func() {
		in.Reset()
		in.Source, in.Final, in.Head, in.Buf = seen.Source, true, seen.Head, seen.Buf
		if got := Choose(list, in); got != 4 {
			t.Fatalf("chose %d, want 4", got)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkChoose(b *testing.B) {
	list, seen := chosen(b)
	in := new(expr.Input)
	b.ReportAllocs()
	for b.Loop() {
		in.Reset()
		in.Source, in.Final, in.Head, in.Buf = seen.Source, true, seen.Head, seen.Buf
		if Choose(list, in) != 4 {
			b.Fatal("chose another")
		}
	}
}
