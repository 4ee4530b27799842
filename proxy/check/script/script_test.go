package script

import (
	"strings"
	"testing"

	"herald/proxy/check"
)

// play drives a machine with a server that answers each write with the next
// text, and each read beyond them by ending.
func play(s *Script, w *World, answers ...string) (check.Result, []string) {
	m := Start(s, w, 16384)
	var sent []string
	for {
		switch want := m.Next(); want.Kind {
		case Dial:
			m.Dialed(want.Connect.TLS)
		case Write:
			sent = append(sent, string(want.Bytes))
			m.Written()
		case Read:
			if len(answers) == 0 {
				m.Ended()
				continue
			}
			m.Received([]byte(answers[0]))
			answers = answers[1:]
		default:
			return want.Result, sent
		}
	}
}

func finished(s *Script) *Script { s.Finish(); return s }

func httpExpect(x *Expect) *Script {
	return finished(&Script{Kind: HTTP, Steps: []Step{{Action: ActExpect, Expect: x}}})
}

// The exchanges were captured from the servers named.
func TestProtocolsAreReplayedByteForByte(t *testing.T) {
	packet := func(seq byte, body string) string { return string([]byte{byte(len(body)), 0, 0, seq}) + body }
	frame := func(body string) string { return string([]byte{0, 0, 0, byte(len(body))}) + body }
	greeting := packet(0, "\x0a5.5.5-10.11.4-MariaDB-1~deb12u1\x00\x05\x00\x00\x00qL!8#T^i\x00\xfe\xf7\x2d\x02\x00\xff\x81\x15\x00\x00\x00\x00\x00\x00\x1d\x00\x00\x00"+
		"e:l+C%Jv8s6D\x00mysql_native_password\x00")
	for _, tt := range []struct {
		name    string
		s       *Script
		answers []string
		sent    string
		want    check.Result
	}{
		{"MariaDB 10.11, a user without a password", MySQL("ha", false), []string{greeting, "\x07\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00"},
			"\x24\x00\x00\x01\x00\x82\x00\x00\x00\x80\x00\x01\x21" + strings.Repeat("\x00", 23) + "ha\x00\x00\x01\x00\x00\x00\x01",
			check.Result{Status: check.L7OK, Info: "5.5.5-10.11.4-MariaDB-1~deb12u1"}},
		{"the same in two segments", MySQL("ha", false), []string{greeting[:9], greeting[9:] + "\x07\x00\x00", "\x02\x00\x00\x00\x02\x00\x00\x00"}, "",
			check.Result{Status: check.L7OK, Info: "5.5.5-10.11.4-MariaDB-1~deb12u1"}},
		{"MySQL before 4.1", MySQL("ha", true), []string{greeting, "\x01\x00\x00\x02\xfe"}, "\x09\x00\x00\x01\x00\x80\x00\x00\x01ha\x00\x00\x01\x00\x00\x00\x01",
			check.Result{Status: check.L7OK, Info: "5.5.5-10.11.4-MariaDB-1~deb12u1"}},
		{"MariaDB refuses the user", MySQL("ha", false), []string{greeting, packet(2, "\xff\x15\x04#28000Access denied for user 'ha'@'a.b'")}, "",
			check.Result{Status: check.L7STS, Code: 1045, Info: "#28000Access denied for user 'ha'@'a.b'"}},
		{"too many connections", MySQL("", false), []string{packet(0, "\xff\x10\x04Too many connections")}, "", check.Result{Status: check.L7STS, Code: 1040, Info: "Too many connections"}},
		{"PostgreSQL 15 asks for SCRAM", PgSQL("ha"), []string{"R\x00\x00\x00\x17\x00\x00\x00\x0aSCRAM-SHA-256\x00\x00"}, "\x00\x00\x00\x11\x00\x03\x00\x00user\x00ha\x00\x00",
			check.Result{Status: check.L7OK, Info: "PostgreSQL server is ok"}},
		{"PostgreSQL trusts", PgSQL("ha"), []string{"R\x00\x00\x00\x08\x00\x00\x00\x00S\x00\x00\x00\x19client_encoding"}, "", check.Result{Status: check.L7OK, Info: "PostgreSQL server is ok"}},
		{"PostgreSQL starts up", PgSQL("ha"), []string{"E\x00\x00\x00\x4cSFATAL\x00VFATAL\x00C57P03\x00Mthe database system is starting up\x00"}, "", check.Result{Status: check.L7RSP, Info: "FATAL"}},
		{"Redis 7", Redis(), []string{"+PO", "NG\r\n"}, "*1\r\n$4\r\nPING\r\n", check.Result{Status: check.L7OK, Info: "Redis server is ok"}},
		{"Redis loads", Redis(), []string{"-LOADING Redis is loading the dataset in memory\r\n"}, "", check.Result{Status: check.L7STS, Info: "-LOADING Redis is loading the dataset in memory"}},
		{"Postfix", SMTP("EHLO", "lb.example"), []string{"220 mail.example ESMTP Postfix\r\n", "250-mail.example\r\n250-PIPELINING\r\n", "250 CHUNKING\r\n", "221 2.0.0 Bye\r\n"},
			"EHLO lb.example\r\n", check.Result{Status: check.L7OK, Code: 221, Info: "2.0.0 Bye"}},
		{"Postfix overloaded", SMTP("HELO", "localhost"), []string{"421 4.7.0 try later\r\n"}, "", check.Result{Status: check.L7STS, Code: 421, Info: "4.7.0 try later"}},
		{"OpenLDAP", LDAP(), []string{"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"}, "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00", check.Result{Status: check.L7OK, Info: "Success"}},
		{"Active Directory, long lengths", LDAP(), []string{"\x30\x84\x00\x00\x00\x10\x02\x01\x01\x61\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00"}, "", check.Result{Status: check.L7OK, Info: "Success"}},
		{"OpenLDAP without anonymous bind", LDAP(), []string{"\x30\x2c\x02\x01\x01\x61\x27\x0a\x01\x30\x04\x00\x04\x20anonymous bind disallowed"}, "",
			check.Result{Status: check.L7STS, Code: 48, Info: "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9"}},
		{"a TLS server refuses SSL 3.0", SSLHello(), []string{"\x15\x03\x00\x00\x02\x02\x28"}, "", check.Result{Status: check.L6OK}},
		{"an agent of SPOE", SPOP(), []string{frame("\x65\x00\x00\x00\x01\x00\x00\x07version\x08\x032.0\x0emax-frame-size\x03\xfc\xf0\x06\x0ccapabilities\x08\x00")},
			"\x00\x00\x00\x4e\x01\x00\x00\x00\x01\x00\x00\x12supported-versions\x08\x032.0\x0emax-frame-size\x03\xfc\xf0\x06\x0ccapabilities\x08\x00\x0bhealthcheck\x11",
			check.Result{Status: check.L7OK, Info: "SPOA server is ok"}},
		{"an agent's line", Agent("hi\n"), []string{"up 50", "%\ndown"}, "hi\n", check.Result{Status: check.L7OK, Info: "up 50%"}},
		{"an agent's line that is cut off", Agent(""), []string{"up 5"}, "", check.Result{Status: check.UNK, Info: "Ignoring incomplete line from agent"}},
		{"an agent that says nothing", Agent(""), nil, "", check.Result{Status: check.L7RSP, Info: "TCPCHK got an empty response at step 2"}},
		{"an agent that leaves", SPOP(), []string{frame("\x66\x00\x00\x00\x01\x00\x00\x0bstatus-code\x03\x08\x07message\x08\x07unknown")}, "", check.Result{Status: check.L7RSP, Info: "unsupported version"}},
	} {
		got, sent := play(tt.s, &World{}, tt.answers...)
		if got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
		if tt.sent != "" && (len(sent) == 0 || sent[0] != tt.sent) {
			t.Errorf("%s: sent %q, want %q first", tt.name, sent, tt.sent)
		}
	}
}

// CVE-2018-19115: keepalived's reader of the status line wrote beyond its
// buffer.
func TestAStatusLineOfAnyLengthIsOnlyText(t *testing.T) {
	for _, line := range []string{
		"HTTP/1.1 " + strings.Repeat("2", 100000) + " OK\r\n\r\n",
		"HTTP/1.1 200 " + strings.Repeat("x", 100000) + "\r\n\r\n",
		"HTTP/1.1 99999999999999999999 OK\r\n\r\n",
		"HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 -200 OK\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 \r\n\r\n", strings.Repeat("H", 100000),
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\n" + strings.Repeat("a: b\r\n", 5000) + "\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
	} {
		got, _ := play(httpExpect(&Expect{Match: StatusList, Status: []Range{{200, 399}}, MinRecv: -1}), &World{}, line)
		if got.Status != check.L7RSP {
			t.Errorf("%.40q: got %v (%d), want an invalid response", line, got.Status, got.Code)
		}
	}
}

func TestAnAnswerInAnySegmentsMeansTheSame(t *testing.T) {
	whole := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n"
	for cut := range len(whole) {
		got, _ := play(httpExpect(&Expect{Match: String, Pattern: []byte("cdefg"), MinRecv: -1}), &World{}, whole[:cut], whole[cut:])
		if want := (check.Result{Status: check.L7OK, Code: 200}); got != want {
			t.Errorf("cut at %d: got %+v, want %+v", cut, got, want)
		}
	}
}

func TestRequestsAreThoseOfHAProxy(t *testing.T) {
	lf := func(s string) *Text {
		x, err := CompileText(s, true)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	w := &World{Host: "lb", Pid: 7, Server: "s", State: "UP; name=b/s"}
	for _, tt := range []struct {
		option, rule *Request
		state        bool
		want         string
	}{
		{nil, nil, false, "OPTIONS / HTTP/1.0\r\n\r\n"},
		{&Request{URI: Literal("/x")}, nil, false, "OPTIONS /x HTTP/1.0\r\n\r\n"},
		{&Request{Method: "GET", URI: Literal("/x"), Version: "HTTP/1.1"}, nil, false, "GET /x HTTP/1.1\r\nconnection: close\r\n\r\n"},
		{&Request{Method: "GET", URI: Literal("/x")}, &Request{Headers: []HeaderText{{"Host", lf("a")}}}, false, "GET /x HTTP/1.0\r\nhost: a\r\n\r\n"},
		{nil, &Request{Method: "POST", URI: lf("/%[int(3)]"), Version: "HTTP/1.1", Headers: []HeaderText{{"X-Y", lf("a%[str(q)]b %H %pid %[srv_name]")}, {"Content-Length", lf("9")}}, Body: lf("hello")},
			false, "POST /3 HTTP/1.1\r\nx-y: aqb lb 7 s\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"},
		{nil, nil, true, "OPTIONS / HTTP/1.0\r\nx-haproxy-server-state: UP; name=b/s\r\n\r\n"},
		{nil, &Request{Version: "HTTP/1.1", Headers: []HeaderText{{"Connection", lf("keep-alive")}}}, false, "OPTIONS / HTTP/1.1\r\n\r\n"},
		{nil, &Request{Headers: []HeaderText{{"X", lf("%[bin(0d0a58)]")}}}, false, "OPTIONS / HTTP/1.0\r\nx:   X\r\n\r\n"},
		{nil, &Request{URI: Literal("http://a/b"), Headers: []HeaderText{{"Host", lf("c")}}}, false, "OPTIONS http://c/b HTTP/1.0\r\nhost: c\r\n\r\n"},
	} {
		s := &Script{Kind: HTTP, SendState: tt.state}
		if tt.option != nil {
			s.Request = &Send{HTTP: tt.option}
		}
		if tt.rule != nil {
			s.Steps = []Step{{Action: ActSend, Send: &Send{HTTP: tt.rule}}}
		}
		if _, sent := play(finished(s), w, "HTTP/1.1 200 OK\r\n\r\n"); len(sent) != 1 || sent[0] != tt.want {
			t.Errorf("%+v %+v: sent %q, want %q", tt.option, tt.rule, sent, tt.want)
		}
	}
}

func TestExpressionsOfChecks(t *testing.T) {
	e := &env{World: &World{Backend: "b", Server: "s", BackendID: 3, Usable: 2, Env: func(n string) string { return "<" + n + ">" }, Vars: map[string]string{"proc.x": "9"}},
		data: []byte("hello world"), http: &response{status: 200, version: "1.1", body: []byte("x"), fields: []field{{[]byte("A"), []byte("1, 2")}}}}
	for text, want := range map[string]string{
		"str()": "", "int(3),add(4),mul(2)": "14", "int(7),div(0)": "9223372036854775807", "int(7),mod(4)": "3", "str(abc),upper": "ABC", "str(abc),length": "3", "str(abc),hex": "616263",
		"bin(3031)": "01", "bool(true)": "1", "bool(true),not": "0", "always_true": "1", "var(proc.x),sub(1)": "8", "var(check.none)": "-", "env(HOME)": "<HOME>", "be_name": "b", "srv_name": "s",
		"be_id": "3", "nbsrv": "2", "status": "200", "res.ver": "1.1", "res.body": "x", "res.body_size": "1", "res.hdr(a)": "2", "res.fhdr(a)": "1, 2", "res.hdr(b)": "-", "res.payload(6,0)": "world",
		"res.payload(0,5)": "hello", "res.payload(0,50)": "-", "res.len": "11", "str(a.b.c),word(2,.)": "b", "str(a..c),field(2,.)": "", "str(a.b.c),field(-1,.)": "c", "str(aGk=),b64dec": "hi", "str(hi),base64": "aGk=",
	} {
		x, err := CompileExpr(text, true)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, ok := x.eval(e)
		if !ok {
			got = "-"
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestVariablesLiveAsLongAsTheirScope(t *testing.T) {
	x := func(s string) *Expr {
		e, err := CompileExpr(s, false)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	lf, _ := CompileText("%[var(check.a)]%[var(proc.n)]", false)
	s := finished(&Script{Kind: TCP, Steps: []Step{
		{Action: ActSet, Variable: "check.a", Value: x("str(one)")},
		{Action: ActSet, Variable: "check.a", Value: x("str(two)"), Conditions: []string{"ifnotexists"}},
		{Action: ActSet, Variable: "proc.n", Value: x("var(proc.n),add(1)")},
		{Action: ActSend, Send: &Send{Data: lf}},
		{Action: ActUnset, Variable: "check.a"},
		{Action: ActSend, Send: &Send{Data: lf}},
	}})
	w := &World{Vars: map[string]string{"proc.n": "1"}}
	if _, sent := play(s, w); len(sent) != 2 || sent[0] != "one2" || sent[1] != "2" {
		t.Errorf("first run: sent %q, want one2 and 2", sent)
	}
	if _, sent := play(s, w); len(sent) != 2 || sent[0] != "one3" {
		t.Errorf("second run: sent %q, want one3 first", sent)
	}
}
