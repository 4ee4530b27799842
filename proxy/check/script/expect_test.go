package script

import (
	"regexp"
	"strings"
	"testing"

	"herald/proxy/check"
)

func text(t *testing.T, s string, http bool) *Text {
	t.Helper()
	x, err := CompileText(s, http)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func expr(t *testing.T, s string, http bool) *Expr {
	t.Helper()
	x, err := CompileExpr(s, http)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// Every outcome is that of HAProxy 2.6.12 on the same bytes; e2e/checks asks
// it.
func TestExpectationsOfBytes(t *testing.T) {
	re := regexp.MustCompile
	for _, tt := range []struct {
		name string
		x    Expect
		says []string // then the server ends
		want check.Result
	}{
		{"a string", Expect{Match: String, Pattern: []byte("OK")}, []string{"+OK\r\n"}, check.Result{Status: check.L7OK, Info: "(tcp-check)"}},
		{"in two pieces", Expect{Match: String, Pattern: []byte("OK")}, []string{"+O", "K\r\n"}, check.Result{Status: check.L7OK, Info: "(tcp-check)"}},
		{"another string", Expect{Match: String, Pattern: []byte("OK")}, []string{"-ERR\r\n"}, check.Result{Status: check.L7RSP, Info: "TCPCHK did not match content 'OK' at step 1"}},
		{"enough to decide", Expect{Match: String, Pattern: []byte("+OKAY"), MinRecv: 3}, []string{"-ERR no\r\n", "+OKAY"}, check.Result{Status: check.L7RSP, Info: "TCPCHK did not match content '+OKAY' at step 1"}},
		{"not enough to decide", Expect{Match: String, Pattern: []byte("K"), MinRecv: 5}, []string{"+O", "KAY"}, check.Result{Status: check.L7OK, Info: "(tcp-check)"}},
		{"unwanted", Expect{Match: String, Not: true, Pattern: []byte("ERR")}, []string{"-ERR\r\n"}, check.Result{Status: check.L7RSP, Info: "TCPCHK matched unwanted content 'ERR' at step 1"}},
		{"unwanted and absent", Expect{Match: String, Not: true, Pattern: []byte("ERR")}, []string{"+OK\r\n"}, check.Result{Status: check.L7OK, Info: "(tcp-check)"}},
		{"nothing", Expect{Match: String, Pattern: []byte("OK")}, nil, check.Result{Status: check.L7RSP, Info: "TCPCHK got an empty response at step 1"}},
		{"a regex", Expect{Match: Regex, Regex: re("^.OK")}, []string{"+OK"}, check.Result{Status: check.L7OK, Info: "(tcp-check)"}},
		{"no regex", Expect{Match: Regex, Regex: re("^.NO")}, []string{"+OK"}, check.Result{Status: check.L7RSP, Info: "TCPCHK did not match content (regex) at step 1"}},
		{"bytes", Expect{Match: Binary, Pattern: []byte{0, 1}}, []string{"\x00\x01\x02"}, check.Result{Status: check.L7OK, Info: "(tcp-check)"}},
		{"no bytes", Expect{Match: Binary, Pattern: []byte{0, 9}}, []string{"\x00\x01\x02"}, check.Result{Status: check.L7RSP, Info: "TCPCHK did not match content (binary) at step 1"}},
		{"a regex of bytes", Expect{Match: BinaryRegex, Regex: re("^0001..")}, []string{"\x00\x01\x02"}, check.Result{Status: check.L7OK, Info: "(tcp-check)"}},
		{"no regex of bytes", Expect{Match: BinaryRegex, Regex: re("^FF")}, []string{"\x00\x01\x02"}, check.Result{Status: check.L7RSP, Info: "TCPCHK did not match content (binary regex) at step 1"}},
		{"a text", Expect{Match: StringText, Text: text(t, "%[str(o),upper]K", false)}, []string{"OK"}, check.Result{Status: check.L7OK, Info: "(tcp-check)"}},
		{"no text", Expect{Match: StringText, Text: text(t, "x%b", false)}, []string{"OK"}, check.Result{Status: check.L7RSP, Info: "TCPCHK did not match content (log-format string) at step 1"}},
		{"bytes of a text", Expect{Match: BinaryText, Text: text(t, "4%[str(f)]4b", false)}, []string{"OK"}, check.Result{Status: check.L7OK, Info: "(tcp-check)"}},
		{"no bytes of a text", Expect{Match: BinaryText, Text: text(t, "4e", false)}, []string{"OK"}, check.Result{Status: check.L7RSP, Info: "TCPCHK did not match content (log-format binary) at step 1"}},
		{"a text that is not hexadecimal", Expect{Match: BinaryText, Text: text(t, "zz", false)}, []string{"OK"}, check.Result{Status: check.L7RSP, Info: "TCPCHK failed to build log-format binary at step 1"}},
		{"a code and an info", Expect{Match: String, Pattern: []byte("fine"), Code: expr(t, "res.payload(0,3)", false), OnSuccess: text(t, "got %[res.len]", false)}, []string{"200 fine"},
			check.Result{Status: check.L7OK, Code: 200, Info: "got 8"}},
		{"an error of one's own", Expect{Match: String, Pattern: []byte("x"), Fail: check.L4CON, Code: expr(t, "int(7)", false), OnError: text(t, "sad", false)}, []string{"200"}, check.Result{Status: check.L4CON, Code: 7, Info: "sad"}},
		{"a success of one's own", Expect{Match: String, Pattern: []byte("2"), OK: check.L7OKC}, []string{"200"}, check.Result{Status: check.L7OKC, Info: "(tcp-check)"}},
		{"more than fits", Expect{Match: String, Pattern: []byte("y")}, []string{strings.Repeat("x", 20000), "y"}, check.Result{Status: check.L7RSP, Info: "TCPCHK did not match content 'y' at step 1"}},
	} {
		if tt.x.MinRecv == 0 {
			tt.x.MinRecv = -1
		}
		s := finished(&Script{Kind: TCP, Steps: []Step{{Action: ActExpect, Expect: &tt.x}}})
		if got, _ := play(s, &World{Backend: "be"}, tt.says...); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestExpectationsOfResponses(t *testing.T) {
	re := regexp.MustCompile
	ok := "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: one, two\r\nSet-Cookie: sessid=1\r\n\r\nhello"
	name := func(method, n string) Pattern { return Pattern{Method: method, Text: Literal(n)} }
	value := func(method, n string) *Pattern { p := name(method, n); return &p }
	passed := check.Result{Status: check.L7OK, Code: 200}
	wrong := check.Result{Status: check.L7STS, Code: 200, Info: "OK"}
	for _, tt := range []struct {
		name string
		x    Expect
		says string
		want check.Result
	}{
		{"a status", Expect{Match: StatusList, Status: []Range{{200, 299}}}, ok, passed},
		{"another status", Expect{Match: StatusList, Status: []Range{{204, 204}, {300, 399}}}, ok, wrong},
		{"not this status", Expect{Match: StatusList, Not: true, Status: []Range{{200, 200}}}, ok, wrong},
		{"a regex of the status", Expect{Match: StatusRegex, Regex: re("^2")}, ok, passed},
		{"no regex of the status", Expect{Match: StatusRegex, Regex: re("^5")}, ok, wrong},
		{"a header", Expect{Match: Header, Name: name("str", "x-a")}, ok, passed},
		{"an element", Expect{Match: Header, Name: name("str", "X-A"), Value: value("str", "two")}, ok, passed},
		{"no element", Expect{Match: Header, Name: name("str", "x-a"), Value: value("str", "three")}, ok, wrong},
		{"not a whole value", Expect{Match: FullHeader, Name: name("str", "x-a"), Value: value("str", "two")}, ok, wrong},
		{"the end of a value", Expect{Match: FullHeader, Name: name("beg", "set-"), Value: value("end", "=1")}, ok, passed},
		{"a part of a value", Expect{Match: FullHeader, Name: name("end", "cookie"), Value: value("sub", "id=")}, ok, passed},
		{"a regex of a value", Expect{Match: FullHeader, Name: name("sub", "cook"), Value: &Pattern{Method: "reg", Regex: re("^sess")}}, ok, passed},
		{"a string", Expect{Match: String, Pattern: []byte("ell")}, ok, passed},
		{"no string", Expect{Match: String, Pattern: []byte("nope")}, ok, check.Result{Status: check.L7RSP, Code: 200, Info: "HTTP content check did not match"}},
		{"an unwanted string", Expect{Match: String, Not: true, Pattern: []byte("ell")}, ok, check.Result{Status: check.L7RSP, Code: 200, Info: "HTTP check matched unwanted content"}},
		{"a regex", Expect{Match: Regex, Regex: re("h.*o")}, ok, passed},
		{"a text", Expect{Match: StringText, Text: text(t, "%[str(HELL),lower]", true)}, ok, passed},
		{"no body", Expect{Match: String, Pattern: []byte("x")}, "HTTP/1.1 204 No Content\r\n\r\n", check.Result{Status: check.L7RSP, Code: 204, Info: "HTTP content check could not find a response body"}},
		{"a body that ends with the connection", Expect{Match: String, Pattern: []byte("bye")}, "HTTP/1.0 200 OK\r\n\r\nbye", passed},
		{"a short body", Expect{Match: String, MinRecv: 1000, Pattern: []byte("nope")}, ok, check.Result{Status: check.L7RSP, Code: 200, Info: "HTTP content check did not match"}},
		{"transfer coding of another name", Expect{Match: String, Pattern: []byte("x")}, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx", check.Result{Status: check.L7RSP}},
		{"two lengths", Expect{Match: String, Pattern: []byte("x")}, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", check.Result{Status: check.L7RSP}},
		{"a chunk without its end", Expect{Match: String, Pattern: []byte("x")}, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nyzz\r\n", check.Result{Status: check.L7RSP}},
		{"a head that stops", Expect{Match: StatusList}, "HTTP/1.1 200 OK\r\nContent-", check.Result{Status: check.L7RSP}},
	} {
		if tt.x.MinRecv == 0 {
			tt.x.MinRecv = -1
		}
		if got, _ := play(httpExpect(&tt.x), &World{}, tt.says); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
		}
	}
	s := httpExpect(&Expect{Match: StatusList, Status: []Range{{404, 404}}, MinRecv: -1})
	s.Disable404 = true
	gone := "HTTP/1.1 404 Not Found\r\n\r\n"
	if got, _ := play(s, &World{Running: true}, gone); got.Status != check.L7OKC || got.Code != 404 {
		t.Errorf("disable-on-404 of a running server: got %+v, want L7OKC", got)
	}
	if got, _ := play(s, &World{}, gone); got.Status != check.L7OK {
		t.Errorf("disable-on-404 of a stopped server: got %+v, want what the rules say", got)
	}
}

func TestWhereAScriptStopped(t *testing.T) {
	rules := func() *Script {
		return finished(&Script{Kind: TCP, Steps: []Step{{Action: ActComment, Comment: "the door"}, {Action: ActConnect, Connect: &Connect{Port: expr(t, "int(25)", false), PortText: "25"}},
			{Action: ActSend, Send: &Send{Data: Literal("x")}}, {Action: ActExpect, Comment: "why", Expect: &Expect{Match: Binary, Pattern: []byte{10}, MinRecv: -1}}}})
	}
	at := func(s *Script, steps int) *Machine {
		m := Start(s, &World{}, 100)
		for range steps {
			switch m.Next().Kind {
			case Dial:
				m.Dialed(false)
			case Write:
				m.Written()
			}
		}
		m.Next()
		return m
	}
	for _, tt := range []struct {
		m     *Machine
		f     Failure
		layer int
		text  string
		want  check.Result
	}{
		{at(rules(), 0), Refused, 4, "Connection refused", check.Result{Status: check.L4CON, Info: "Connection refused at step 2 of tcp-check (connect port 25) comment: 'the door'"}},
		{at(rules(), 0), TimedOut, 4, "", check.Result{Status: check.L4TOUT, Info: " at step 2 of tcp-check (connect port 25) comment: 'the door'"}},
		{at(rules(), 0), TimedOut, 6, "", check.Result{Status: check.L6TOUT, Info: " at step 2 of tcp-check (connect port 25) comment: 'the door'"}},
		{at(rules(), 0), Handshake, 6, "SSL handshake failure", check.Result{Status: check.L6RSP, Info: "SSL handshake failure at step 2 of tcp-check (connect port 25) comment: 'the door'"}},
		{at(rules(), 1), Broken, 7, "Broken pipe", check.Result{Status: check.SOCKERR, Info: "Broken pipe at step 3 of tcp-check (send)"}},
		{at(rules(), 2), TimedOut, 7, "", check.Result{Status: check.L7TOUT, Info: " at step 4 of tcp-check (expect binary '\n') comment: 'why'"}},
		{at(finished(&Script{Kind: TCP}), 0), Refused, 4, "Connection refused", check.Result{Status: check.L4CON, Info: "Connection refused at initial connection step of tcp-check"}},
		{at(finished(&Script{}), 0), Refused, 4, "Connection refused", check.Result{Status: check.L4CON, Info: "Connection refused"}},
		{at(Redis(), 2), Foreign, 7, "", check.Result{Status: check.L7RSP}},
		{at(SSLHello(), 2), TimedOut, 7, "", check.Result{Status: check.L6TOUT}},
	} {
		tt.m.Failed(tt.f, tt.layer, tt.text)
		tt.m.Failed(Broken, 7, "later") // changes nothing any more
		if got := tt.m.Next().Result; got != tt.want {
			t.Errorf("got %+v, want %+v", got, tt.want)
		}
	}
	for _, m := range []Match{String, StringText, Regex, BinaryText, BinaryRegex, Judged} {
		if describe(&Expect{Match: m}) == "" {
			t.Errorf("match %d has no name", m)
		}
	}
}

func TestConditionsOfVariables(t *testing.T) {
	for _, tt := range []struct {
		condition, old, value string
		sets                  bool
	}{
		{"ifexists", "", "1", false}, {"ifexists", "0", "1", true}, {"ifnotexists", "0", "1", false}, {"ifempty", "0", "", true}, {"ifempty", "0", "1", false},
		{"ifnotempty", "0", "1", true}, {"ifset", "0", "1", true}, {"ifset", "0", "0", false}, {"ifnotset", "0", "0", true}, {"ifgt", "5", "3", true}, {"iflt", "5", "3", false}, {"ifgt", "", "3", false}, {"ifgt", "10", "9", true}, {"iflt", "b", "c", true},
	} {
		w := &World{Vars: map[string]string{}}
		if tt.old != "" {
			w.Vars["proc.x"] = tt.old
		}
		if !Condition(tt.condition) {
			t.Errorf("%s is no condition", tt.condition)
		}
		play(finished(&Script{Kind: TCP, Steps: []Step{{Action: ActSet, Variable: "proc.x", Text: Literal(tt.value), Conditions: []string{tt.condition}}}}), w)
		if got := w.Vars["proc.x"] == tt.value; got != tt.sets && tt.old != tt.value {
			t.Errorf("%s, %q over %q: set is %v, want %v", tt.condition, tt.value, tt.old, got, tt.sets)
		}
	}
}
