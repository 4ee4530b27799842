package script

import (
	"testing"
	"time"

	"herald/proxy/check"
)

func TestTextsSayWhereTheyRun(t *testing.T) {
	w := &World{Backend: "b", BackendID: 3, Server: "s", ServerID: 4, Addr: "192.0.2.1", Port: "80", Host: "lb", Pid: 7, Conns: 5, ServerConns: 6,
		Now: time.Date(2026, 3, 9, 8, 7, 6, 54e6, time.FixedZone("", 2*3600))}
	for in, want := range map[string]string{
		"": "", "plain": "plain", "100%%": "100%", "%H %pid %b/%s": "lb 7 b/s", "%f %si:%sp": "CHECKS-FE 192.0.2.1:80",
		"%t|%T": "09/Mar/2026:08:07:06.054|09/Mar/2026:06:07:06 +0000", "%Tl|%Ts|%ms": "09/Mar/2026:08:07:06 +0200|1773036426|54",
		`%{+Q}s,%{-Q,+E}b,%{}H`: `"s",b,lb`, "%{+Q}[str(x)]": `"x"`, "%o%b": "b",
		"%[srv_id] %[be_id] %[be_conn] %[srv_conn]": "4 3 5 6", "%[hostname] %[date] %[always_false]": "lb 1773036426 0", "%[env(A)]|%[var(proc.none)]": "|",
	} {
		x, err := CompileText(in, false)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := string(x.append(nil, &env{World: w})); got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"5%": "a percent sign is written %%", "5% of": "a percent sign is written %%", "%ci": "variable %ci means nothing in a health check; write %% for a percent sign",
		"%{+Z}s": `flag "+Z" means nothing in a health check`, "%[str(%)]%": "a percent sign is written %%", "%{+Q": `missing '}' after "{+Q"`, "%[str(a)": `missing ']' after "[str(a)"`, "%[int(x)]": `"x" is not a number`,
	} {
		if _, err := CompileText(in, false); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", in, err, want)
		}
	}
	if got := (*Text)(nil).append([]byte("a"), nil); string(got) != "a" {
		t.Errorf("no text: got %q, want nothing added", got)
	}
}

func TestTheOrderOfRulesIsChecked(t *testing.T) {
	connect, send, expect := Step{Action: ActConnect, Connect: &Connect{}}, Step{Action: ActSend, Send: &Send{}}, Step{Action: ActExpect, Expect: &Expect{}}
	const late, second = "the first connect rule must come before every send and expect rule", "the send rule at step 3 needs a connect rule before it: one request goes on a connection"
	for _, tt := range []struct {
		name  string
		kind  Kind
		steps []Step
		want  string
	}{
		{"a connection first", TCP, []Step{connect, send, expect, send}, ""},
		{"none at all", TCP, []Step{send, expect}, ""},
		{"a connection behind a send", TCP, []Step{send, connect}, late},
		{"a connection behind an expectation", TCP, []Step{expect, connect}, late},
		{"another connection", TCP, []Step{connect, send, connect, send}, ""},
		{"comments and variables go anywhere", TCP, []Step{{Action: ActComment}, {Action: ActSet}, connect}, ""},
		{"one request a connection", HTTP, []Step{connect, send, expect, connect, send}, ""},
		{"two requests", HTTP, []Step{connect, send, send}, second},
	} {
		got := ""
		if err := (&Script{Kind: tt.kind, Steps: tt.steps}).Check(); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestWhatAScriptSaysOfItsConnections(t *testing.T) {
	port := func(text string) Step {
		return Step{Action: ActConnect, Connect: &Connect{Port: expr(t, "int("+text+")", false)}}
	}
	plain, tls, send := Step{Action: ActConnect, Connect: &Connect{}}, Step{Action: ActConnect, Connect: &Connect{TLS: true}}, Step{Action: ActSend, Send: &Send{}}
	for _, tt := range []struct {
		name             string
		steps            []Step
		connects         int
		named, encrypted bool
	}{
		{"two ports", []Step{port("1"), send, port("2")}, 2, true, false},
		{"one of two", []Step{port("1"), send, plain}, 2, false, false},
		{"encrypted", []Step{plain, send, tls}, 2, false, true},
		{"what is added", nil, 1, false, false},
	} {
		s := finished(&Script{Kind: TCP, Steps: tt.steps})
		if s.Connects() != tt.connects || s.NamesPort() != tt.named || s.Encrypts() != tt.encrypted {
			t.Errorf("%s: got %d, %v, %v, want %d, %v, %v", tt.name, s.Connects(), s.NamesPort(), s.Encrypts(), tt.connects, tt.named, tt.encrypted)
		}
	}
}

func TestExpressionsOfPCREAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		`^a+$`: "", `a(?=b)`: `regular expression "a(?=b)" uses look-ahead, which is not supported`, `a(?!b)`: `regular expression "a(?!b)" uses look-ahead, which is not supported`,
		`(?<=a)b`: `regular expression "(?<=a)b" uses look-behind, which is not supported`, `(?<!a)b`: `regular expression "(?<!a)b" uses look-behind, which is not supported`,
		`(?>a)b`: `regular expression "(?>a)b" uses an atomic group, which is not supported`, `a(`: "regular expression \"a(\": error parsing regexp: missing closing ): `a(`",
	} {
		got := ""
		if _, err := CompileRegex(text); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	if Condition("ifnone") {
		t.Error("ifnone is taken for a condition")
	}
}

// Hexadecimal that is none once it is evaluated ends a check; nothing to send
// is no step.
func TestBytesOfExpressions(t *testing.T) {
	for _, tt := range []struct {
		text, sent string
		status     check.Status
		info       string
	}{
		{"%[str(6162)]63", "abc", check.L7OK, "(tcp-check)"},
		{"%[str(616)]", "", check.L7RSP, "TCPCHK log-format string is not valid hexadecimal at step 1 comment: why"},
		{"zz", "", check.L7RSP, "TCPCHK log-format string is not valid hexadecimal at step 1 comment: why"},
		{"%[var(check.none)]", "", check.L7OK, "(tcp-check)"},
	} {
		got, sent := play(finished(&Script{Kind: TCP, Steps: []Step{{Action: ActSend, Comment: "why", Send: &Send{Data: text(t, tt.text, false), Hex: true}}}}), &World{})
		if got.Status != tt.status || got.Info != tt.info || len(sent) > 0 != (tt.sent != "") || tt.sent != "" && sent[0] != tt.sent {
			t.Errorf("%s: got %+v, sent %q, want %v %q and %q", tt.text, got, sent, tt.status, tt.info, tt.sent)
		}
	}
}

func TestWhatARuleOfHTTPDoesNotSayIsThatOfTheOption(t *testing.T) {
	s := finished(&Script{Kind: HTTP, Request: &Send{HTTP: &Request{Method: "PUT", URI: Literal("/o"), Version: "HTTP/1.1", Headers: []HeaderText{{"host", Literal("a")}}, Body: Literal("o")}},
		Steps: []Step{{Action: ActConnect, Connect: &Connect{}}, {Action: ActSend, Send: &Send{HTTP: &Request{Method: "GET"}}}, {Action: ActExpect, Expect: &Expect{Match: StatusList, Status: []Range{{200, 200}}}},
			{Action: ActConnect, Connect: &Connect{TLS: true}}, {Action: ActSend, Send: &Send{HTTP: &Request{URI: Literal("http://h"), Headers: []HeaderText{{"host", Literal("b")}}}}}}})
	_, sent := play(s, &World{}, "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n")
	want := []string{"GET /o HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\nconnection: close\r\n\r\no", "OPTIONS http://b HTTP/1.0\r\nhost: b\r\n\r\n"}
	if len(sent) != 2 || sent[0] != want[0] || sent[1] != want[1] {
		t.Errorf("sent %q, want %q", sent, want)
	}
	// A connection that says nothing is over when it stands.
	got, _ := play(finished(&Script{Kind: TCP, Steps: []Step{{Action: ActConnect, Connect: &Connect{TLS: true}}}}), &World{})
	if got.Status != check.L6OK {
		t.Errorf("a connection with TLS alone: got %v, want %v", got.Status, check.L6OK)
	}
	m := Start(finished(&Script{Kind: TCP, Steps: []Step{{Action: ActConnect, Connect: &Connect{Port: expr(t, "str(81),add(1)", false)}}}}), &World{}, 100)
	if w := m.Next(); w.Port != 82 || !w.Last {
		t.Errorf("got port %d, last %v, want 82, true", w.Port, w.Last)
	}
	m.Failed(Refused, 4, "no")
	if got := m.Next().Result.Info; got != "no at step 1 of tcp-check (connect port (expr))" {
		t.Errorf("got %q", got)
	}
}
