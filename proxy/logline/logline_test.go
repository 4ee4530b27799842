package logline

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// at is the second of the captured lines.
func at(sec, ms int) time.Time {
	return time.Date(2026, 11, 22, 16, 10, sec, ms*1e6, time.UTC)
}

// served is the request HAProxy 2.6.12 logged in every format.
func served() *Record {
	return &Record{
		Accept: at(27, 560), HTTP: true,
		Client: netip.MustParseAddrPort("127.0.0.1:37538"), Local: netip.MustParseAddrPort("127.0.0.1:60609"),
		ServerSource: netip.MustParseAddrPort("127.0.0.1:55390"), ServerAddr: netip.MustParseAddrPort("127.0.0.1:44557"),
		Frontend: "fhttp", Backend: "be", Server: "srv1", Status: 200, BytesIn: 103, BytesOut: 91, Term: [4]byte{'-', '-', '-', '-'},
		ActConn: 1, FeConn: 1, Counter: 6, PID: 6831, Host: "vm",
		Request:        []byte(`GET http://h/p"x/y]?q=\1 HTTP/1.1`),
		RequestHeaders: [][]byte{[]byte("a\"b|{}]\\c\x01\x7f\xe9 d"), {}}, ResponseHeaders: [][]byte{[]byte("ab\\\"]\x01\xffc")},
		RequestCookie: []byte("SID=1234"), ResponseCookie: []byte("SID=resp"),
	}
}

// refused is a malformed request in the same proxy.
func refused() *Record {
	return &Record{
		Accept: at(37, 795), HTTP: true, Client: netip.MustParseAddrPort("127.0.0.1:60148"), Local: netip.MustParseAddrPort("127.0.0.1:60609"),
		Frontend: "fhttp", Status: 400, Term: [4]byte{'P', 'R', '-', '-'}, ActConn: 1, FeConn: 1, Counter: 30, LogCounter: 1, PID: 6831, Host: "vm",
		Times: Times{Request: -1, Queue: -1, Connect: -1, Data: -1},
	}
}

// line compiles and formats.
func line(t *testing.T, format string, r *Record) string {
	t.Helper()
	f, err := Compile(format)
	if err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return string(f.Append(nil, r, &Dates{}))
}

func TestFixedFormatsAreHAProxysBytes(t *testing.T) {
	for _, r := range []struct {
		name   string
		format *Format
		record *Record
		want   string
	}{
		{"http", HTTP, served(), `127.0.0.1:37538 [22/Nov/2026:16:10:27.560] fhttp be/srv1 0/0/0/0/0 200 91 SID=1234 SID=resp ---- 1/1/0/0/0 0/0 {a#22b#7C#7B#7D]\c#01#7F#E9 d|} {ab\#22]#01#FFc} "GET http://h/p#22x/y]?q=\1 HTTP/1.1"`},
		{"http, refused", HTTP, refused(), `127.0.0.1:60148 [22/Nov/2026:16:10:37.795] fhttp fhttp/<NOSRV> -1/-1/-1/-1/0 400 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>"`},
		{"https, in the clear", HTTPS, refused(), `127.0.0.1:60148 [22/Nov/2026:16:10:37.795] fhttp fhttp/<NOSRV> -1/-1/-1/-1/0 400 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>" 0/-/-/-/0 -/-/-`},
		{"https", HTTPS, overTLS(), `127.0.0.1:60148 [22/Nov/2026:16:10:37.795] fhttp~ fhttp/<NOSRV> -1/-1/-1/-1/0 400 0 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>" 0/0000000000000000/10/20/1 www.example/TLSv1.3/TLS_AES_256_GCM_SHA384`},
		{"tcp", TCP, served(), `127.0.0.1:37538 [22/Nov/2026:16:10:27.560] fhttp be/srv1 0/0/0 91 -- 1/1/0/0/0 0/0`},
		{"tcp, refused", TCP, refused(), `127.0.0.1:60148 [22/Nov/2026:16:10:37.795] fhttp fhttp/<NOSRV> -1/-1/0 0 PR 1/1/0/0/0 0/0`},
		{"clf", CLF, served(), `127.0.0.1 - - [22/Nov/2026:16:10:27 +0000] "GET http://h/p#22x/y]?q=\1 HTTP/1.1" 200 91 "" "" 37538 560 "fhttp" "be" "srv1" 0 0 0 0 0 ---- 1 1 0 0 0 0 0 "SID=1234" "SID=resp" "a#22b#7C#7B#7D]\c#01#7F#E9 d" "" "ab\#22]#01#FFc"`},
		{"clf, refused", CLF, refused(), `127.0.0.1 - - [22/Nov/2026:16:10:37 +0000] "<BADREQ>" 400 0 "" "" 60148 795 "fhttp" "fhttp" "<NOSRV>" -1 -1 -1 -1 0 PR-- 1 1 0 0 0 0 0 "" "" `},
		{"default", Default, served(), `Connect from 127.0.0.1:37538 to 127.0.0.1:60609 (fhttp/HTTP)`},
		{"default, tcp", Default, &Record{Client: served().Client, Local: served().Local, Frontend: "def1"}, `Connect from 127.0.0.1:37538 to 127.0.0.1:60609 (def1/TCP)`},
		{"default, unix", Default, &Record{Frontend: "u", ListenerID: 1}, `Connect from unix:1 to unix:1 (u/TCP)`},
	} {
		if got := string(r.format.Append(nil, r.record, &Dates{})); got != r.want {
			t.Errorf("%s:\n got %s\nwant %s", r.name, got, r.want)
		}
	}
}

func overTLS() *Record {
	r := refused()
	r.TLS, r.TLSVersion, r.TLSCipher, r.ServerName, r.TLSResumed = true, "TLSv1.3", "TLS_AES_256_GCM_SHA384", "www.example", true
	r.CertError, r.AuthorityError = 10, 20
	return r
}

func TestEveryVariableIsHAProxysBytes(t *testing.T) {
	missing := served()
	missing.RequestHeaders, missing.ResponseHeaders = [][]byte{nil, nil}, [][]byte{nil}
	six := &Record{Client: netip.MustParseAddrPort("[::1]:37806"), Local: netip.MustParseAddrPort("[::ffff:127.0.0.1]:33591"), HTTP: true}
	asap := served()
	asap.Asap, asap.BytesOut, asap.BytesIn = true, 51, 0
	again := served()
	again.Retries, again.Redispatched, again.TLS, again.UniqueID, again.TLSVersion, again.TLSCipher = 3, true, true, []byte("id"), "TLSv1.3", "AES"
	uri := func(line string) *Record { return &Record{Request: []byte(line)} }
	for _, r := range []struct {
		format string
		record *Record
		want   string
	}{
		{`%{+Q}o %t %s %{-Q}r %r %ci %ST %B %ts %ID %b %CC %hr %hrl %H %T %Ts %ms %tsc`, served(), `22/Nov/2026:16:10:27.560 "srv1" GET http://h/p#22x/y]?q=\1 HTTP/1.1 "GET http://h/p#22x/y]?q=\1 HTTP/1.1" "127.0.0.1" 200 91 -- "" "be" "SID=1234" "{a#22b#7C#7B#7D]\c#01#7F#E9 d|}" "a#22b#7C#7B#7D]\c#01#7F#E9 d" "" "vm" 22/Nov/2026:16:10:27 +0000 1795363827 560 ----`},
		{`%{+X}o %ci %cp %fi %fp %si %sp %bi %bp %Ts %rt %pid %ST %B %ac %ms %Tt %lc`, served(), `7F000001 92A2 7F000001 ECC1 7F000001 AE0D 7F000001 D85E 6B0313F3 0006 1AAF 200 91 1 230 0 0000`},
		{`%ci %cp %fi %fp %si %sp %bi %bp %Ts %rt %pid %ST %B %ac %fc %bc %sc %bq %sq %lc %ms %U %rc`, served(), `127.0.0.1 37538 127.0.0.1 60609 127.0.0.1 44557 127.0.0.1 55390 1795363827 6 6831 200 91 1 1 0 0 0 0 0 560 103 0`},
		{`%si %sp %bi %bp %{+X}si %{+X}sp %{+Q}si|%{+Q}sp|%{+Q}bi|%{+Q}bp|%{+Q}s|%{+Q}ST`, refused(), `- - - - - - ""|""|""|""|"<NOSRV>"|400`},
		{`%Ta/%Tc/%Td/%Th/%Ti/%Tq/%TR/%Tr/%Tt/%Tu/%Tw`, refused(), `0/-1/-1/0/0/-1/-1/-1/0/0/-1`},
		{`%T|%Tl|%t|%tr|%trg|%trl`, served(), `22/Nov/2026:16:10:27 +0000|22/Nov/2026:16:10:27 +0000|22/Nov/2026:16:10:27.560|22/Nov/2026:16:10:27.560|22/Nov/2026:16:10:27 +0000|22/Nov/2026:16:10:27 +0000`},
		{`%HM|%HP|%HPO|%HQ|%HU|%HV|%r`, served(), `GET|http://h/p#22x/y]|/p#22x/y]|?q=\1|http://h/p#22x/y]?q=\1|HTTP/1.1|GET http://h/p#22x/y]?q=\1 HTTP/1.1`},
		{`%{+Q}HM|%{+Q}HP|%{+Q}HPO|%{+Q}HQ|%{+Q}HU|%{+Q}HV`, served(), `"GET"|"http://h/p#22x/y]"|"/p#22x/y]"|"?q=\1"|"http://h/p#22x/y]?q=\1"|"HTTP/1.1"`},
		{`%HM|%HP|%HPO|%HQ|%HU|%HV|%{+Q}r`, refused(), `<BADREQ>|<BADREQ>|<BADREQ>|<BADREQ>|<BADREQ>|<BADREQ>|"<BADREQ>"`},
		{`%HM|%HP|%HPO|%HQ|%HU|%HV|%{+Q}HQ`, uri("OPTIONS / HTTP/1.0"), `OPTIONS|/|/||/|HTTP/1.0|""`},
		{`%HP|%HPO|%HQ`, uri("GET http://h HTTP/1.0"), `http://h||`},
		{`%HP|%HPO|%HQ`, uri("GET http://h?x HTTP/1.0"), `http://h||?x`},
		{`%HP|%HPO|%HQ`, uri("GET http://h/ HTTP/1.0"), `http://h/|/|`},
		{`%HP|%HPO|%HQ`, uri("GET /a?b?c HTTP/1.0"), `/a|/a|?b?c`},
		{`%HP|%HPO|%HU`, uri("OPTIONS * HTTP/1.0"), `*||*`},
		{`%HP|%HPO|%HU`, uri("CONNECT a:80 HTTP/1.0"), `a:80||a:80`},
		{`%HM|%HU|%HV|%r`, uri("GET /cut"), `GET|/cut||GET /cut`},
		{`%hr|%hrl|%hs|%hsl|%CC|%CS|%ID|%sslc|%sslv`, served(), `{a#22b#7C#7B#7D]\c#01#7F#E9 d|}|a#22b#7C#7B#7D]\c#01#7F#E9 d |{ab\#22]#01#FFc}|ab\#22]#01#FFc|SID=1234|SID=resp|-|-|-`},
		{`%{+Q}hr|%{+Q}hrl|%{+Q}hs|%{+Q}hsl|%{+Q}CC|%{+Q}ID|%{+Q}sslc`, served(), `"{a#22b#7C#7B#7D]\c#01#7F#E9 d|}"|"a#22b#7C#7B#7D]\c#01#7F#E9 d" ""|"{ab\#22]#01#FFc}"|"ab\#22]#01#FFc"|"SID=1234"|""|""`},
		{`%hr|%hrl|%hs|%hsl|%CC|%{+Q}CC`, refused(), `||||-|""`},
		{`%hrl|%{+Q}hrl|%hr|%{+Q}hr|%hsl|%hs`, missing, `- -|"" ""|{|}|"{|}"|-|{}`},
		{`100%% %{+E}r|%{+Q,+E}r|%{+E}hr`, served(), `100% GET http://h/p#22x/y\]?q=\\1 HTTP/1.1|"GET http://h/p#22x/y\]?q=\\1 HTTP/1.1"|{a#22b#7C#7B#7D\]\\c#01#7F#E9 d|}`},
		{`%{+E}b %{+E}CC`, &Record{Backend: `a"b\c]`, RequestCookie: []byte(`x]`)}, `a\"b\\c\] x\]`},
		{`%f|%ft|%b|%s|%ts|%tsc|%{+Q}ts|%{+Q}ft|%{+Q}s`, served(), `fhttp|fhttp|be|srv1|--|----|--|"fhttp"|"srv1"`},
		{`%ft|%{+Q}ft|%rc|%ID|%sslv|%sslc`, again, `fhttp~|"fhttp~"|+3|id|TLSv1.3|AES`},
		{`%{+Q}cp|%{+Q}f|%{+Q}fi|%{+Q}pid|%{+Q}tr|%{+Q}Tl|%{+Q}U|%{+Q}bq|%{+Q,+X}ci`, served(), `37538|"fhttp"|"127.0.0.1"|6831|22/Nov/2026:16:10:27.560|22/Nov/2026:16:10:27 +0000|103|0|7F000001`},
		{`%Tt|%B|%Ta|%Td|%Tu|%U|%Tr`, asap, `+0|+51|+0|0|+0|0|0`},
		{`%{+X}ci|%ci|%cp|%fi|%{+X}fi|%{+Q}ci|%{+X}cp`, six, `00000000000000000000000000000001|::1|37806|::ffff:127.0.0.1|00000000000000000000FFFF7F000001|"::1"|93AE`},
		{`%H|%f`, &Record{}, `-|-`},
	} {
		if got := line(t, r.format, r.record); got != r.want {
			t.Errorf("%s:\n got %s\nwant %s", r.format, got, r.want)
		}
	}
}

func TestTimersAreDifferencesOfTheMarks(t *testing.T) {
	r := served()
	r.Times = Times{Handshake: 5, Idle: 10, Request: 22, Queue: 25, Connect: 32, Data: 49, Close: 100}
	const all = `%Th %Ti %TR %Tq %Tw %Tc %Tr %Td %Ta %Tu %Tt`
	if got, want := line(t, all, r), "5 10 7 22 3 7 17 51 85 90 100"; got != want {
		t.Errorf("http: got %s, want %s", got, want)
	}
	if got, want := line(t, `%tr`, r), "22/Nov/2026:16:10:27.575"; got != want {
		t.Errorf("first byte: got %s, want %s", got, want)
	}
	r.HTTP, r.Times = false, Times{Request: 0, Queue: 1, Connect: 3, Data: -1, Close: 10}
	if got, want := line(t, `%Tw/%Tc/%Tt %Td`, r), "1/2/10 7"; got != want {
		t.Errorf("tcp: got %s, want %s", got, want)
	}
	r.Times = Times{Idle: -1, Request: -1, Queue: -1, Connect: -1, Data: -1, Close: 9}
	if got, want := line(t, all, r), "0 -1 -1 -1 -1 -1 -1 -1 9 9 9"; got != want {
		t.Errorf("nothing came: got %s, want %s", got, want)
	}
}

func TestSpacesAreMergedAndFlagsSpread(t *testing.T) {
	r := &Record{Backend: "be", Server: "srv1", HTTP: true}
	for format, want := range map[string]string{
		" a ":                       "a ",
		"a   %b  \tb":               "a be \tb",
		"%hr x %hrl y %ID z":        "x y - z",
		"%hrl %b":                   "be",
		"%b %hrl":                   "be ",
		"%b%hrl%s":                  "besrv1",
		"%o %b":                     "be",
		"x%o y":                     "x y",
		"a %o b  %{+X}o  %rt":       "a b 0000",
		"%{+Q}o%s%b":                `"srv1""be"`,
		"%{+Q}o %{-Q}o %s %b":       "srv1 be",
		"%{+Q}o(x) %b %{-Q}s":       `(x) "be" srv1`,
		"%{-X,+Q}b":                 `"be"`,
		"%{+Q,-Q}b %{Q}b %{+Z}b":    "be be be",
		"%{+QE}b %{+Q +E}b %{}b":    "be be be",
		"%{++Q}b":                   `"be"`,
		"%-x%b %&x%b %_b":           "-xbe &xbe _b",
		"%b(a,b)%s %b (a) %ci_x":    "be(a,b)srv1 be (a) unix_x",
		"%%%b %B-%%-%%":             "%be 0-%-%",
		"plain text without a sign": "plain text without a sign",
		"":                          "",
	} {
		if got := line(t, format, r); got != want {
			t.Errorf("%q: got %q, want %q", format, got, want)
		}
	}
}

func TestWrongFormatsAreNamed(t *testing.T) {
	for format, want := range map[string]string{
		"%foo": `no such variable '%foo'`, "a %cifoo": `'%cifoo'`, "%Bi": `'%Bi'`, "%Q": `'%Q'`,
		"%{+Q": "missing '}'", "%{+Q}": `near "%{+Q}"`, "%{+Q} ci": "without a variable name", "%{+Q}%": "without a variable name", "%{+Q}-x": "without a variable name",
		"%": "ends after '%'", "a%": "ends after '%'", "% x": "space after '%'",
		"%[src": "missing ']'", "%[src]": "%[src]: sample expressions are not supported yet", "%{+Q}[req.hdr(a)] x": "%[req.hdr(a)]",
	} {
		_, err := Compile(format)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", format, err, want)
		}
		if known := errors.Is(err, ErrExpression); known != strings.Contains(want, "%[") {
			t.Errorf("%q: known to HAProxy: %v", format, known)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a fixed format that does not compile went unnoticed")
		}
	}()
	compiled("%nosuch")
}

func TestTheTableOfVariablesIsWhole(t *testing.T) {
	all := Variables()
	if len(all) != 63 {
		t.Errorf("%d variables, HAProxy 2.6 documents 63 besides %%o", len(all))
	}
	for i, v := range all {
		if v.Doc == "" || i > 0 && all[i-1].Name >= v.Name {
			t.Errorf("%s: undocumented or out of order", v.Name)
		}
		if got := line(t, "%"+v.Name, served()); v.Name != "hr" && got == "" {
			t.Errorf("%%%s writes nothing", v.Name)
		}
	}
}

func TestAFormatTellsWhatItNeeds(t *testing.T) {
	if v := HTTP.HTTPOnly(); v != "%tr" {
		t.Errorf("httplog: %q, want %%tr", v)
	}
	if v := TCP.HTTPOnly(); v != "" {
		t.Errorf("tcplog: %q, want none", v)
	}
	if !Default.Needs("bi", "fi") || HTTP.Needs("fi", "bi") {
		t.Error("needs")
	}
}

func TestAFailureBeforeTheStreamHasItsOwnLine(t *testing.T) {
	r := &Record{Client: netip.MustParseAddrPort("127.0.0.1:56059"), Accept: time.Date(2012, 12, 3, 17, 35, 10, 380e6, time.UTC), Frontend: "frt", Bind: "f1"}
	got := string(AppendFailure(nil, r, &Dates{}, "Connection error during SSL handshake"))
	if want := "127.0.0.1:56059 [03/Dec/2012:17:35:10.380] frt/f1: Connection error during SSL handshake"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDatesFollowTheZone(t *testing.T) {
	r := served()
	d := &Dates{Zone: time.FixedZone("X", -(3*3600 + 1800))}
	f := compiled(`%T|%Tl|%t|%trg`)
	want := `22/Nov/2026:16:10:27 +0000|22/Nov/2026:12:40:27 -0330|22/Nov/2026:12:40:27.560|22/Nov/2026:16:10:27 +0000`
	for range 2 { // the second time from the cache
		if got := string(f.Append(nil, r, d)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	r.Accept = r.Accept.Add(8 * time.Second) // the same slot
	if got := string(compiled(`%Tl`).Append(nil, r, d)); got != "22/Nov/2026:12:40:35 -0330" {
		t.Errorf("got %s", got)
	}
}

func TestHeadersAreHAProxysBytes(t *testing.T) {
	now := time.Date(2026, 11, 2, 16, 12, 20, 433373000, time.UTC)
	for _, r := range []struct{ form, host, want string }{
		{"", "", "<134>Nov  2 16:12:20 haproxy[9251]: X\n"},
		{"local", "hh", "<134>Nov  2 16:12:20 haproxy[9251]: X\n"},
		{"rfc3164", "", "<134>Nov  2 16:12:20 localhost haproxy[9251]: X\n"},
		{"rfc3164", "hh", "<134>Nov  2 16:12:20 hh haproxy[9251]: X\n"},
		{"rfc5424", "", "<134>1 2026-11-02T16:12:20.433373+00:00 - haproxy 9251 - - X\n"},
		{"rfc5424", "hh", "<134>1 2026-11-02T16:12:20.433373+00:00 hh haproxy 9251 - - X\n"},
		{"short", "hh", "<6>X\n"},
		{"timed", "hh", "<6>2026-11-02T16:12:20.433373+00:00 X\n"},
		{"iso", "hh", "2026-11-02T16:12:20.433373+00:00 X\n"},
		{"priority", "hh", "<134>X\n"},
		{"raw", "hh", "X\n"},
	} {
		form, ok := ParseForm(r.form)
		h := Header{Form: form, Facility: 16, MaxLevel: Debug, Tag: "haproxy", Host: r.host, PID: 9251}
		if got := string(h.Append(nil, Info, now, []byte("X"), &Dates{})); got != r.want || !ok {
			t.Errorf("%s %s: got %q, want %q", r.form, r.host, got, r.want)
		}
	}
	if _, ok := ParseForm("json"); ok {
		t.Error("json is a form")
	}
}

// Lengths measured with "len N": the line end comes on top of a header.
func TestMessagesAreCutToTheirLength(t *testing.T) {
	long := []byte(strings.Repeat("A", 3000))
	for _, r := range []struct {
		form      Form
		len, want int
	}{{Local, 80, 81}, {Raw, 80, 80}, {Short, 80, 81}, {RFC5424, 80, 81}, {ISO, 2000, 2001}, {Local, 0, 1025}, {Raw, 0, 1024}} {
		h := Header{Form: r.form, MaxLen: r.len, Tag: "haproxy", PID: 1}
		got := string(h.Append([]byte("before"), Info, time.Time{}, long, &Dates{}))
		if len(got) != len("before")+r.want || !strings.HasSuffix(got, "A\n") {
			t.Errorf("form %d len %d: %d bytes, want %d", r.form, r.len, len(got)-len("before"), r.want)
		}
	}
	h := Header{Form: Local, MaxLen: 10, Tag: "haproxy"}
	if got := string(h.Append(nil, Info, time.Time{}, long, &Dates{})); strings.Contains(got, "A") {
		t.Errorf("a header longer than the message left room for %q", got)
	}
}

func TestLevelsChooseAndRaise(t *testing.T) {
	h := Header{Form: Priority, Facility: 19, MaxLevel: Info, MinLevel: Warning}
	for level, want := range map[Level]string{Emerg: "<156>X\n", Warning: "<156>X\n", Notice: "<157>X\n", Info: "<158>X\n"} {
		if got := string(h.Append(nil, level, time.Time{}, []byte("X"), nil)); got != want || !h.Wants(level) {
			t.Errorf("level %d: %q, want %q", level, got, want)
		}
	}
	if h.Wants(Debug) {
		t.Error("debug is sent")
	}
}

func TestALineCostsNoAllocation(t *testing.T) {
	r, d := served(), &Dates{Zone: time.FixedZone("X", 3600)}
	r.Asap, r.Redispatched = true, true
	h := Header{Form: RFC5424, Facility: 16, MaxLevel: Debug, Tag: "haproxy", Host: "hh"}
	everything := ""
	for _, v := range Variables() {
		everything += " %{+Q,+E}" + v.Name + " %{+X}" + v.Name
	}
	all := compiled(everything)
	buf, out := make([]byte, 0, 8192), make([]byte, 0, 8192)
	if n := testing.AllocsPerRun(100, func() {
		for _, f := range []*Format{Default, TCP, HTTP, HTTPS, CLF, all} {
			buf = f.Append(buf[:0], r, d)
			out = h.Append(out[:0], Info, r.Accept, buf, d)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkHTTPLine(b *testing.B) {
	r, d := served(), &Dates{}
	h := Header{Facility: 16, MaxLevel: Debug, Tag: "haproxy"}
	buf, out := make([]byte, 0, 2048), make([]byte, 0, 2048)
	for b.Loop() {
		buf = HTTP.Append(buf[:0], r, d)
		out = h.Append(out[:0], Info, r.Accept, buf, d)
	}
}

// FuzzFormat checks that any text either compiles to something that writes
// the same line twice, on one line, or is refused with a reason.
func FuzzFormat(f *testing.F) {
	for _, s := range []string{"%ci:%cp [%tr] %{+Q}r", "%{+Q,-X}o %% %[src]", "%{+X}o %ms%hr  x", "%", "%{", "%{+Q}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := Compile(s)
		if err != nil {
			if c != nil || err.Error() == "" {
				t.Fatalf("%q: %v with %v", s, c, err)
			}
			return
		}
		for _, r := range []*Record{served(), refused(), {}} {
			one := string(c.Append(nil, r, &Dates{}))
			if two := string(c.Append([]byte("x"), r, &Dates{})); two != "x"+one {
				t.Fatalf("%q: %q, then %q", s, one, two)
			}
			if !strings.Contains(s, "\n") && strings.Contains(one, "\n") {
				t.Fatalf("%q: %q has more than one line", s, one)
			}
		}
	})
}
