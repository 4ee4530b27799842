package rule

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"herald/proxy/expr"
)

var update = flag.Bool("update", false, "ask the haproxy that is installed, and write what it answers to testdata")

// asked are requests, and conditions HAProxy was asked about with each.
var asked = struct{ requests, conditions []string }{
	requests: []string{
		"GET /api/v1/x.PNG?a=1&b=&c=3;d=4&a=5 HTTP/1.1\r\nHost: WWW.Example.com:8080\r\nX-List: a, \"b,c\" ,d\r\nX-List: e\r\nX-Empty:\r\nContent-Length: 0\r\nCookie: sid=abc; lang=de; e=\r\nX-IP: 10.1.2.3, 192.0.2.9\r\n\r\n",
		"POST http://other.example/base/?q HTTP/1.1\r\nHost: other.example\r\nX-List: ,\r\nCookie: lang=en\r\nCookie: sid=\"q\"; SID=z\r\nContent-Length: 12\r\nX-IP: none\r\n\r\n",
		"OPTIONS * HTTP/1.0\r\n\r\n",
		"GET /? HTTP/1.0\r\nHost: a.b.c\r\n\r\n",
		"GET /a//b/../c.d:e?x=/y?z=1 HTTP/1.1\r\nHost: [::1]:80\r\nX-List: \"a\\\",b\", c\r\n\r\n",
	},
	conditions: []string{
		"TRUE", "FALSE", "HTTP", "HTTP_1.0", "HTTP_1.1", "HTTP_2.0", "HTTP_CONTENT", "HTTP_URL_ABS", "HTTP_URL_SLASH", "HTTP_URL_STAR", "LOCALHOST",
		"METH_GET", "METH_POST", "METH_OPTIONS", "METH_HEAD", "WAIT_END",
		"{ path /api/v1/x.PNG }", "{ path -i /API/v1/x.png }", "{ path_beg /api /base }", "{ path_beg / }", "{ path_end .png }", "{ path_end -i .png }", "{ path_sub v1 // }",
		"{ path_dir api }", "{ path_dir v1/x.PNG }", "{ path_dir /api/ }", "{ path_dir -i API }", "{ path_dom PNG }", "{ path_dom d }", "{ path_len 1 }", "{ path_len gt 5 }", "{ path_len 1:6 }",
		"{ path_reg ^/[ab] }", "{ path -m reg -i \\.png$ }", "{ path -m found }", "{ path / }", "{ path_dir .. }", "{ path_dom b }",
		"{ url_beg http:// }", "{ url_sub a=1 }", "{ url_end ? }", "{ url -m len 1 }", "{ url_dir q }", "{ url_dom other }",
		"{ query -m found }", "{ query a=1 }", "{ query -m beg a=1 }", "{ query -m len 0 }", "{ query q }", "{ pathq -m end ? }", "{ pathq -m beg /base/?q }",
		"{ base_beg www }", "{ base_beg -i www.example.com:8080/api }", "{ base /a }", "{ base a.b.c/ }", "{ base -m found }", "{ base other.example/base/ }", "{ base_sub example }",
		"{ hdr(host) -i www.example.com:8080 }", "{ hdr(Host) other.example }", "{ hdr_beg(host) -i www }", "{ hdr_end(host) .c :80 }", "{ hdr_dom(host) -i example.com }", "{ hdr_dom(host) -i xample }", "{ hdr_dom(host) b }",
		"{ hdr_len(host) gt 5 }", "{ hdr_reg(host) ^[a-z.]+$ }", "{ hdr_sub(host) exam }", "{ hdr(x-none) -m found }", "{ hdr(x-none) a }", "!{ hdr(x-none) a }",
		"{ hdr(x-list) a }", "{ hdr(x-list) d }", "{ hdr(x-list) e }", "{ hdr(x-list) c }", "{ hdr(x-list) b }", "{ hdr(x-list) -m sub b,c }", "{ hdr(x-list) -m found }", "{ hdr(x-list) -m len 0 }",
		"{ hdr(x-empty) -m found }", "{ hdr(x-empty) -m len 0 }", "{ hdr_cnt(x-list) 4 }", "{ hdr_cnt(x-list) gt 0 }", "{ hdr_cnt(x-list) 2 }", "{ req.hdr_cnt(host) 1 }", "{ hdr_cnt(x-none) 0 }", "{ hdr_cnt(x-empty) 1 }", "{ hdr_cnt(x-list) 1 }",
		"{ req.hdr_val(content-length) gt 0 }", "{ hdr_val(content-length) 12 }", "{ hdr_val(x-none) 0 }", "{ hdr_val(host) 0 }",
		"{ hdr_ip(x-ip) 192.0.2.0/24 }", "{ req.hdr_ip(x-ip) 10.1.2.3 }", "{ hdr_ip(x-ip) -m found }", "{ hdr(x-ip) -m ip 10.0.0.0/8 }",
		"{ cook(sid) abc }", "{ cook(sid) -m found }", "{ req.cook(lang) de en }", "{ cook_beg(lang) d }", "{ cook(e) -m found }", "{ cook(SID) z }", "{ cook(sid) -m beg \\\"q }", "{ cook(none) -m found }", "{ cook_cnt(sid) 1 }", "{ req.cook_cnt(lang) ge 1 }", "{ cook_cnt(e) 1 }",
		"{ urlp(a) 1 }", "{ urlp(a) 5 }", "{ url_param(c) -m found }", "{ urlp(c) 3 }", "{ urlp(d) 4 }", "{ urlp(b) -m found }", "{ urlp(b) -m len 0 }", "{ urlp_beg(x) / }", "{ urlp(x) /y }", "{ urlp(z) 1 }", "{ urlp(q) -m found }", "{ urlp_len(a) 1 }",
		"{ method GET }", "{ method get }", "{ method GET POST }", "{ req.ver 1.1 }", "{ req.ver 1.0 }", "{ src 127.0.0.0/8 }", "{ src 127.0.0.1 }", "{ src ::1 }", "{ src 127.0.0.0/255.0.0.0 }", "{ src_port gt 1023 }", "{ src_port lt 1024 }",
		"{ path,lower -m end .png }", "{ path,upper -m beg /API }", "{ hdr(host),lower -m beg www }",
		"METH_GET HTTP_1.1", "METH_GET !HTTP_1.1", "METH_POST or HTTP_1.0", "METH_POST || !METH_GET", "!METH_GET !METH_POST or { path_beg /api }",
	},
}

func golden() string { return filepath.Join("testdata", "verdicts.golden") }

// Every condition means what it means to HAProxy 2.6.
func TestConditionsHoldAsInHAProxy(t *testing.T) {
	if *update {
		askHAProxy(t)
	}
	text, err := os.ReadFile(golden())
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != len(asked.conditions) {
		t.Fatalf("%d conditions in %s, want %d: run with -update", len(lines), golden(), len(asked.conditions))
	}
	for i, cond := range asked.conditions {
		verdicts, written, _ := strings.Cut(lines[i], " ")
		if written != cond {
			t.Fatalf("line %d is about %s, want %s: run with -update", i+1, written, cond)
		}
		c, err := Names{}.Condition(strings.Fields(strings.ReplaceAll(strings.ReplaceAll(cond, `\"`, `"`), `\\`, `\`)))
		if err != nil {
			t.Errorf("%s: %v", cond, err)
			continue
		}
		for j, r := range asked.requests {
			in := request(t, r)
			in.Source = local
			got := c.Holds(in) == expr.Found
			if want := verdicts[j] == 'y'; got != want {
				t.Errorf("%s, %q: %v, want %v", cond, r, got, want)
			}
		}
	}
}

// askHAProxy has a real one evaluate all conditions on each request.
func askHAProxy(t *testing.T) {
	bin, err := exec.LookPath("haproxy")
	if err != nil {
		t.Skip("needs haproxy in the path")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	var cfg strings.Builder
	fmt.Fprintf(&cfg, "global\n tune.http.logurilen 4096\ndefaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 5s\nfrontend f\n bind %s\n", addr)
	format := ""
	for i, c := range asked.conditions {
		fmt.Fprintf(&cfg, " http-request set-var(txn.v%d) bool(true) if %s\n", i, c)
		format += fmt.Sprintf("%%[var(txn.v%d)],", i)
	}
	fmt.Fprintf(&cfg, " http-request return status 200 content-type text/plain lf-string %s\n", format)
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(file, []byte(cfg.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, "-db", "-f", file)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); cmd.Wait() }()
	verdicts := make([][]byte, len(asked.conditions))
	for _, r := range asked.requests {
		body := ask(t, ctx, addr, r)
		parts := strings.Split(body, ",")
		if len(parts) != len(verdicts)+1 {
			t.Fatalf("%q: %q\n%s", r, body, said.String())
		}
		for i := range verdicts {
			v := byte('n')
			if parts[i] == "1" {
				v = 'y'
			}
			verdicts[i] = append(verdicts[i], v)
		}
	}
	var out []string
	for i, c := range asked.conditions {
		out = append(out, string(verdicts[i])+" "+c)
	}
	if err := os.WriteFile(golden(), []byte(strings.Join(slices.Clip(out), "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// ask sends one request, as often as it takes until haproxy listens, and
// answers the body of the response.
func ask(t *testing.T, ctx context.Context, addr, request string) string {
	var c net.Conn
	var err error
	for ctx.Err() == nil {
		if c, err = net.Dial("tcp", addr); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(c, request+"hello, body!"[:12*strings.Count(request, "Content-Length: 12")])
	r := bufio.NewReader(c)
	length := 0
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("%q: %v", request, err)
		}
		fmt.Sscanf(line, "content-length: %d", &length)
		if line == "\r\n" {
			break
		}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		t.Fatal(err)
	}
	return string(body)
}

var local = netip.MustParseAddrPort("127.0.0.1:40000")
