package expr

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"herald/proxy/h1"
	"herald/proxy/reference"
)

// answers are responses, and expressions that are taken from each.
var answers = struct{ responses, expressions []string }{
	responses: []string{
		"HTTP/1.1 200 OK\r\nServer: a/1.0\r\nSet-Cookie: sid=abc; Path=/; HttpOnly\r\nSet-Cookie: n=42x\r\nX-List: a, \"b,c\" ,d\r\nX-List: e\r\nX-IP: 10.1.2.3, none\r\nX-Num: 5, -7\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.0 404 Not Found\r\nSet-Cookie: SID=x\r\nSet-Cookie: sid=\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 503 Sorry\r\nSet-Cookie: a=1, sid=2; sid=3\r\nX-IP: 2001:db8::1\r\nContent-Length: 0\r\n\r\n",
	},
	expressions: []string{
		"status", "status,div(100)", "res.ver", "resp_ver", "res.hdr(server)", "res.hdr(x-list)", "res.hdr(x-list,1)", "res.hdr(x-list,2)", "res.hdr(x-list,-2)", "res.hdr(x-none)", "res.hdr(x-empty)", "res.hdr_cnt(x-list)", "res.hdr_cnt(set-cookie)",
		"res.hdr_cnt", "res.hdr_names", "res.hdr_names(;)", "res.hdr_ip(x-ip)", "res.hdr_ip(x-ip,1)", "res.hdr_val(x-num)", "res.hdr_val(x-num,1)", "res.fhdr(x-list)", "res.fhdr(x-list,1)", "res.fhdr(set-cookie)", "res.fhdr_cnt(set-cookie)",
		"res.fhdr_cnt", "res.hdrs", "res.hdrs_bin", "res.cook(sid)", "res.cook(n)", "res.cook(SID)", "res.cook(a)", "res.cook", "res.cook_cnt(sid)", "res.cook_cnt", "res.cook_val(n)", "shdr(server)", "shdr_cnt(x-list)", "shdr_ip(x-ip)", "shdr_val(x-num)",
		"scook(sid)", "scook_cnt(sid)", "scook_val(n)", "res.hdr(server),lower,length", "hdr(server)",
	},
}

// Fetches of a response find what HAProxy 2.6 finds.
func TestAnswersHaveTheValuesOfHAProxy(t *testing.T) {
	file := filepath.Join("testdata", "answers.txt")
	if *update {
		askForAnswers(t, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != len(answers.expressions)*len(answers.responses) {
		t.Fatalf("%d lines in %s, want %d: run with -update", len(lines), file, len(answers.expressions)*len(answers.responses))
	}
	for i, e := range answers.expressions {
		f, err := Parse(e)
		if err != nil {
			t.Errorf("%s: %v", e, err)
			continue
		}
		for j, r := range answers.responses {
			in := Input{Final: true, Reply: &h1.Head{}, ReplyBuf: []byte(r)}
			in.Reply.Reset()
			if v := in.Reply.ParseResponse(in.ReplyBuf, h1.MethodGet, false); v != h1.Complete {
				t.Fatalf("%q: %v", r, v)
			}
			got := fmt.Sprintf("%s %d -", e, j)
			if v, out := f.Get(&in); out == Found {
				in.cast(&v, Bin)
				got = fmt.Sprintf("%s %d %s %q", e, j, hex.EncodeToString(v.Str), v.Str)
			}
			if want := lines[i*len(answers.responses)+j]; got != want {
				t.Errorf("%s\nwant %s", got, want)
			}
		}
	}
}

func askForAnswers(t *testing.T, file string) {
	origin, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer origin.Close()
	go answerAll(origin)
	addr := reference.Address(t)
	cfg := fmt.Sprintf("global\n tune.bufsize 65536\ndefaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 5s\nlisten f\n bind %s\n server s %s\n", addr, origin.Addr())
	format := ""
	for i, e := range answers.expressions {
		cfg += fmt.Sprintf(" http-response set-var(txn.v%d) %s\n http-response set-var(txn.f%d) int(1) if { var(txn.v%d) -m found }\n", i, quoteWord(e), i, i)
		format += fmt.Sprintf("%%[var(txn.f%d)]:%%[var(txn.v%d),hex,lower];", i, i)
	}
	reference.Run(t, cfg+" http-response return status 200 content-type text/plain lf-string "+format+"\n")
	var found [][]string
	for i := range answers.responses {
		found = append(found, strings.Split(reference.Ask(t, addr, fmt.Sprintf("GET /%d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", i)), ";"))
	}
	var out strings.Builder
	for i, e := range answers.expressions {
		for j := range answers.responses {
			is, value, _ := strings.Cut(found[j][i], ":")
			if is != "1" {
				fmt.Fprintf(&out, "%s %d -\n", e, j)
				continue
			}
			b, _ := hex.DecodeString(value)
			fmt.Fprintf(&out, "%s %d %s %q\n", e, j, value, b)
		}
	}
	if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// answerAll answers the request for /N with the Nth response, until l closes.
func answerAll(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		q, err := http.ReadRequest(bufio.NewReader(c))
		if err == nil {
			var n int
			fmt.Sscanf(q.URL.Path, "/%d", &n)
			io.WriteString(c, answers.responses[n])
		}
		c.Close()
	}
}
