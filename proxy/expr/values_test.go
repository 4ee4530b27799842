package expr

import (
	"encoding/hex"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"herald/proxy/h1"
	"herald/proxy/reference"
)

var update = flag.Bool("update", false, "ask the haproxy that is installed, and write what it answers to testdata")

// valueRequests are what every expression of testdata/values.txt is taken from.
var valueRequests = []string{
	"GET /api/v1/x.PNG?a=1&b=&c=3;d=4&a=5 HTTP/1.1\r\nHost: WWW.Example.com:8080\r\nX-List: a, \"b,c\" ,d\r\nX-List: e\r\nX-Empty:\r\nCookie: sid=abc; lang=de; e=\r\nX-IP: 10.1.2.3, 192.0.2.9\r\nAccept-Language: da, en-gb;q=0.8, en;q=0.7, fr;q=0\r\nX-Num: 42, -7, 12abc\r\n\r\n",
	"POST http://other.example:81/base/?q HTTP/1.1\r\nHost: other.example:81\r\nX-List: ,\r\nCookie: lang=en\r\nCookie: sid=\"q\"; SID=z\r\nContent-Length: 24\r\nX-IP: none\r\nAccept-Language: es,fr;q=0.5\r\n\r\nuser=joe&pass=%20x+y&q=7",
	"OPTIONS * HTTP/1.0\r\n\r\n",
	"GET http://10.1.2.3/x?y HTTP/1.1\r\nHost: 10.1.2.3\r\nX-Pair: a=b=c\r\nCookie: e=\r\nCookie: a=1; b = 2 ;c; =d; a=3, a=4\r\n\r\n",
	"GET /? HTTP/1.0\r\nHost: a.b.c\r\nX-IP: 2001:db8::1\r\nX-Num: 0x10\r\nCookie: e=\r\nX-Json: {\"a\":{\"b\":[1,2.5,\"x\"]},\"t\":true,\"s\":\"y\"}\r\n\r\n",
	"GET /a//b/../c.d:e?x=/y?z=1&u=%41%2fb+c%zz HTTP/1.1\r\nHost: [::1]:80\r\nX-List: \"a\\\",b\", c\r\nX-Num: 99999999999999999999\r\nX-Pad: ..x..\r\nCookie: e=;\r\nX-Odd: 10.1.2.3:80, 10.1.2.3abc, 010.1.2.4, 1.2.3.4.5, [::1], ::1, 300.1.1.1, 1.2.3\r\n\r\n",
}

func valuesFile() string { return filepath.Join("testdata", "values.txt") }

// Every expression has the value HAProxy 2.6 finds. A line of the file is an
// expression, and below it for each request what was found: nothing, or its
// bytes and behind a slash its text, in hexadecimal.
func TestExpressionsHaveTheValuesOfHAProxy(t *testing.T) {
	text, err := os.ReadFile(valuesFile())
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	want := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "\t"):
			e := list[len(list)-1]
			want[e] = append(want[e], strings.TrimSpace(line))
		case line != "" && !strings.HasPrefix(line, "#"):
			list = append(list, line)
		}
	}
	if *update {
		want = askForValues(t, list)
		var b strings.Builder
		b.WriteString("# What HAProxy 2.6 finds; see values_test.go. Written by go test ./proxy/expr -update.\n")
		for _, e := range list {
			fmt.Fprintf(&b, "%s\n\t%s\n", e, strings.Join(want[e], "\n\t"))
		}
		if err := os.WriteFile(valuesFile(), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var in Input
	files := Loader{Env: func(name string) (string, bool) { return "some text", name == "HERALD_TEST" }}
	for _, e := range list {
		f, err := files.Parse(e)
		if err != nil {
			t.Errorf("%s: %v", e, err)
			continue
		}
		for i, r := range valueRequests {
			see(t, &in, r)
			got := "-"
			if v, out := f.Get(&in); out == Found {
				raw, written := v, v
				ok, also := in.cast(&raw, Bin), in.cast(&written, Str)
				if !ok || !also {
					got = "no bytes"
				} else {
					got = hex.EncodeToString(raw.Str) + "/" + hex.EncodeToString(written.Str)
				}
			}
			if got != want[e][i] {
				t.Errorf("%s, request %d: %s, want %s", e, i, readable(got), readable(want[e][i]))
			}
		}
	}
}

// readable writes the text of a value behind its bytes.
func readable(s string) string {
	raw, text, _ := strings.Cut(s, "/")
	b, _ := hex.DecodeString(text)
	return fmt.Sprintf("%s %q", raw, b)
}

// see lets in look at a request from 127.0.0.1.
func see(t testing.TB, in *Input, text string) {
	in.Reset()
	in.Source, in.Destination = netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("127.0.0.1:80")
	in.Final, in.Buf, in.Head = true, []byte(text), &h1.Head{}
	if v := in.Head.ParseRequest(in.Buf); v != h1.Complete {
		t.Fatalf("%q: %v", text, v)
	}
	in.Body = in.Buf[in.Head.Len:]
}

// quoteWord makes one word of a configuration.
func quoteWord(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "'", `\'`, " ", `\ `, "#", `\#`).Replace(s)
}

// askForValues has a real HAProxy evaluate all expressions on each request.
func askForValues(t *testing.T, list []string) map[string][]string {
	var cfg strings.Builder
	cfg.WriteString("global\n tune.bufsize 1048576\n tune.http.logurilen 4096\ndefaults\n mode http\n option http-buffer-request\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n")
	const chunk = 40
	var addrs []string
	for from := 0; from < len(list); from += chunk {
		addrs = append(addrs, reference.Address(t))
		fmt.Fprintf(&cfg, "frontend f%d\n bind %s\n", from, addrs[len(addrs)-1])
		format := ""
		for i, e := range list[from:min(from+chunk, len(list))] {
			fmt.Fprintf(&cfg, " http-request set-var(txn.v%d) %s\n http-request set-var(txn.f%d) int(1) if { var(txn.v%d) -m found }\n", i, quoteWord(e), i, i)
			format += fmt.Sprintf("%%[var(txn.f%d)]:%%[var(txn.v%d),hex,lower]/%%[var(txn.v%d),ltrim(~),hex,lower];", i, i, i)
		}
		fmt.Fprintf(&cfg, " http-request return status 200 content-type text/plain lf-string %s\n", format)
	}
	reference.Run(t, cfg.String(), "HERALD_TEST=some text", "TZ=UTC")
	found := map[string][]string{}
	for _, r := range valueRequests {
		for n, addr := range addrs {
			body := reference.Ask(t, addr, r)
			parts := strings.Split(body, ";")
			if want := min(chunk, len(list)-n*chunk) + 1; len(parts) != want {
				t.Fatalf("%d values from %s on, want %d: %s", len(parts)-1, list[n*chunk], want-1, body)
			}
			for i, e := range list[n*chunk : min(n*chunk+chunk, len(list))] {
				is, value, _ := strings.Cut(parts[i], ":")
				if is != "1" {
					value = "-"
				}
				found[e] = append(found[e], value)
			}
		}
	}
	return found
}
