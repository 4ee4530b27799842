package proxy

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"herald/config"
	"herald/config/line"
	"herald/proxy/directive"
	"herald/proxy/expr"
	"herald/proxy/h1"
	"herald/proxy/lb"
	"herald/proxy/settings"
)

var update = flag.Bool("update", false, "ask the haproxy that is installed, and write what it answers to testdata")

// balanced is one way to balance: the lines of a listen section, what stands
// behind each server's address, and what clients ask.
type balanced struct {
	lines   string
	servers []string
	ask     []asked
}

// asked is one request of a client at this address.
type asked struct {
	from string
	text string
}

var (
	equal    = []string{"", "", "", ""}
	weighted = []string{"weight 10 id 7", "weight 20 id 3", "weight 5 id 11", "weight 1 id 12", "weight 13 id 1"}
	partly   = []string{"weight 3", "weight 0", "weight 4 disabled", "weight 6", "backup weight 9"}
	spares   = []string{"disabled", "backup", "backup weight 5", "backup"}
)

// balancedCases are all of them. Their answers are in testdata/balance.txt.
func balancedCases() []balanced {
	var all []balanced
	add := func(ask []asked, lines string, servers ...[]string) {
		for _, s := range servers {
			all = append(all, balanced{lines, s, ask})
		}
	}
	uris := paths()
	add(uris, "balance uri", equal, weighted, partly, spares)
	for _, f := range []string{"sdbm", "djb2", "wt6", "crc32"} {
		for _, mix := range []string{"", " avalanche"} {
			add(uris, "balance uri; hash-type map-based "+f+mix, equal, weighted)
			add(uris, "balance uri; hash-type consistent "+f+mix, equal, weighted)
		}
	}
	add(uris, "balance uri; hash-type consistent", equal, weighted, partly, spares)
	add(uris, "balance uri; hash-type consistent; option allbackups", spares)
	add(uris, "balance uri; option allbackups", spares)
	for _, words := range []string{"len 1", "len 5", "len 14", "depth 1", "depth 2", "depth 3", "whole", "path-only", "len 9 depth 2", "whole len 20", "path-only depth 1 whole"} {
		add(uris, "balance uri "+words, equal)
	}
	add(queries(), "balance url_param id", equal, weighted)
	add(queries(), "balance url_param id check_post", equal)
	add(queries(), "balance url_param id; hash-type consistent", equal, weighted)
	add(hosts(), "balance hdr(host)", equal, weighted)
	add(hosts(), "balance hdr(Host) use_domain_only", equal)
	add(hosts(), "balance hdr(X-Id)", equal)
	add(hosts(), "balance hdr(X-Id); hash-type consistent", equal, weighted)
	add(clients(), "balance source", equal, weighted)
	add(clients(), "balance source; hash-type map-based djb2 avalanche", equal)
	add(clients(), "balance source; hash-type consistent", equal, weighted)
	add(clients(), "balance source; hash-type consistent wt6", equal)
	for _, f := range []string{"src", "dst", "dst_port"} {
		add(clients(), "balance hash "+f, weighted)
	}
	for _, f := range []string{"path", "pathq", "url", "query", "method"} {
		add(uris, "balance hash "+f, weighted)
	}
	for _, f := range []string{"req.hdr(x-id)", "hdr(host)", "req.fhdr(x-id)", "req.cook(id)"} {
		add(hosts(), "balance hash "+f, weighted)
	}
	add(queries(), "balance hash urlp(id); hash-type consistent crc32", weighted)
	add(slices.Repeat([]asked{get1("/")}, 160), "balance static-rr", equal, weighted, partly, spares,
		[]string{"weight 7", "weight 3", "weight 256", "weight 64", "weight 100", "weight 1"}, []string{"weight 256", "weight 1"}, []string{"weight 2"})
	add(slices.Repeat([]asked{get1("/")}, 120), "balance roundrobin", equal, weighted)
	add(slices.Repeat([]asked{get1("/")}, 40), "balance leastconn", equal, weighted)
	add(slices.Repeat([]asked{get1("/")}, 10), "balance first", equal, weighted, partly)
	add(cookies(), "mode tcp; tcp-request inspect-delay 2s; tcp-request content accept if RDP_COOKIE; tcp-request content accept if { req.len gt 10 }; balance rdp-cookie", equal, weighted)
	add(cookies(), "mode tcp; tcp-request inspect-delay 2s; tcp-request content accept if { req.len gt 10 }; balance rdp-cookie(Other); hash-type consistent", equal)
	return all
}

func get1(uri string) asked { return asked{text: "GET " + uri + " HTTP/1.1\r\nHost: a\r\n\r\n"} }

func paths() (list []asked) {
	for i := range 120 {
		list = append(list, get1(fmt.Sprintf("/shop/item%d/%c/view?id=%d&x=%d", i*7919%1000, 'a'+i%26, i, i%3)))
	}
	for _, u := range []string{"/", "//", "/?a", "/a", "/a/", "/a/b", "/a/b/", "/a/b/c/d/e", "*", "http://a", "http://a/", "http://a/x?y", "/%41", "/a?b?c", "/a?b/c", "/img/?/x"} {
		list = append(list, get1(u))
	}
	list = append(list, asked{text: "HEAD /x HTTP/1.0\r\n\r\n"}, asked{text: "DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n"}, asked{text: "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"})
	return list
}

func queries() (list []asked) {
	for i := range 60 {
		list = append(list, get1(fmt.Sprintf("/p?a=1&id=%x&z=2", i*104729)))
	}
	for _, u := range []string{"/p", "/p?", "/p?id", "/p?id=", "/p?id=&id=5", "/p?xid=3", "/p?ID=3", "/p?id=1;2", "/p?a;id=7", "/p?id=7;b=1", "/p?&id=9", "/p?a=id=4", "/p?id=a%20b", "/p?id=x=y", "/p?id=3?id=4", "/id=5?b", "/p?aid=1&id=8"} {
		list = append(list, get1(u))
	}
	for _, body := range []string{"id=1", "a=b&id=22", "a=b\r\nid=3", "id=4 x", "id=5\r\n", "xid=6", "", "id=", "id=a b&id=c", "id=\"q\"", "a&id=12&", "&&id=13"} {
		list = append(list, asked{text: fmt.Sprintf("POST /form?a=1 HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(body), body)},
			asked{text: fmt.Sprintf("PUT /form HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", len(body), body)})
	}
	return list
}

func hosts() (list []asked) {
	head := func(lines ...string) {
		list = append(list, asked{text: "GET / HTTP/1.1\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n"})
	}
	for i := range 60 {
		head(fmt.Sprintf("Host: www%d.example%d.org", i, i%9), fmt.Sprintf("X-Id: %d", i*31), fmt.Sprintf("Cookie: a=b; id=%d", i))
	}
	for _, h := range []string{"localhost", "example.org", "a.b.c.d", "www.example.co.uk", "example.org:8080", "www.example.org:80", "192.0.2.1", "a.", ".a", "a..b", "x.y.", "[::1]", "a.b:1"} {
		head("Host: " + h)
	}
	head("Host: a", "X-Id: one, two")
	head("Host: a", "X-Id: one", "X-Id: two")
	head("Host: a", "X-Id: ,two")
	head("Host: a", "X-Id:")
	head("Host: a", "X-Id: \"a,b\", c")
	head("Host: a", "X-Id:   padded  ")
	head("Host: a", "x-ID: 7")
	head("Host: a", "Cookie: id=")
	head("Host: a", "Cookie: xid=4; id = 5")
	head("Host: a", "Cookie: id=\"6\"")
	head("Host: a", "Cookie: a=1", "Cookie: id=8")
	head("Host: a", "Cookie: id=9;id=10")
	return list
}

func clients() (list []asked) {
	for i := range 80 {
		list = append(list, asked{fmt.Sprintf("127.%d.%d.%d", i%5, i*17%250, 1+i*31%250), "GET / HTTP/1.1\r\nHost: a\r\n\r\n"})
	}
	return list
}

func cookies() (list []asked) {
	hello := func(line string) {
		text := "\x03\x00\x00\x00\x00\xe0\x00\x00\x00\x00\x00" + line
		text = text[:3] + string(rune(len(text))) + string(rune(len(text)-5)) + text[5:]
		list = append(list, asked{text: text})
	}
	for i := range 30 {
		hello(fmt.Sprintf("Cookie: mstshash=user%d\r\n", i))
	}
	for _, l := range []string{"Cookie: MSTSHASH=User\r\n", "cookie: mstshash=u\r\n", "Cookie:mstshash=u\r\n", "Cookie: mstshash=\r\n", "Cookie: other=1234\r\n", "Cookie: mstshash = u\r\n",
		"Cookie: xmstshash=u\r\n", "Cookie: msts=3640205228.15629.0000\r\n", "Cookie: mstshash=abc def\r\n", "Cookie: mstshash=u\x00v\r\n", "nothing here\r\n", "Cookie: other=5;mstshash=6\r\n"} {
		hello(l)
	}
	return list
}

func (c balanced) name() string { return c.lines + " | " + strings.Join(c.servers, ", ") }

// text is the section in haproxy.cfg for the bind address and the servers'
// addresses.
func (c balanced) text(name, bind string, at []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "listen %s\n bind %s\n mode http\n", name, bind)
	for l := range strings.SplitSeq(c.lines, "; ") {
		fmt.Fprintf(&b, " %s\n", l)
	}
	for i, s := range c.servers {
		fmt.Fprintf(&b, " server s%d %s %s\n", i, at[i], s)
	}
	return b.String()
}

const balancedDefaults = "defaults\n timeout client 5s\n timeout connect 5s\n timeout server 5s\n"

func TestEveryAlgorithmChoosesHAProxysServer(t *testing.T) {
	const file = "testdata/balance.txt"
	cases := balancedCases()
	if *update {
		record(t, file, cases)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for l := range strings.Lines(string(raw)) {
		if name, answers, ok := strings.Cut(strings.TrimSpace(l), " => "); ok {
			want[name] = answers
		}
	}
	for i, c := range cases {
		t.Run(c.name(), func(t *testing.T) {
			got := c.choices(t, listenAt(i))
			if got == want[c.name()] {
				return
			}
			t.Errorf("want %s\ngot  %s", want[c.name()], got)
			n := 0
			for i := range min(len(got), len(want[c.name()])) {
				if got[i] != want[c.name()][i] {
					t.Errorf("difference at %d: want %c, got %c for %q", i, want[c.name()][i], got[i], c.ask[i])
					if n++; n > 12 {
						break
					}
				}
			}
		})
	}
}

// choices answers the servers this program chooses, a digit each.
func (c balanced) choices(t *testing.T, at string) string {
	lines := slices.DeleteFunc(strings.Split(c.lines, "; "), func(l string) bool { return strings.HasPrefix(l, "tcp-request") })
	servers := slices.Repeat([]string{"127.0.0.1:1"}, len(c.servers))
	text := balancedDefaults + balanced{lines: strings.Join(lines, "; "), servers: c.servers}.text("web", "127.0.0.1:8080", servers)
	var diags config.Diagnostics
	sections := line.Parse([]line.Text{{Name: "t", Bytes: []byte(text)}}, line.Env{}, &diags)
	cfg := directive.Build(sections, directive.Options{}, &diags)
	if diags.HasErrors() {
		t.Fatal(diags.List())
	}
	s, err := New(cfg, Options{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	b := s.backends[0]
	var out strings.Builder
	for _, a := range c.ask {
		i := b.pickFor(a, netip.MustParseAddrPort(at))
		fmt.Fprintf(&out, "%c", '0'+i)
		if i != lb.None { // the request comes and goes before the next
			b.targets[i].sessions.up()
			b.group.Moved(i)
			b.targets[i].sessions.down()
			b.group.Moved(i)
		}
	}
	return out.String()
}

// pickFor chooses for a request as a stream does.
func (b *backend) pickFor(a asked, to netip.AddrPort) int {
	if f := b.cfg.HashOf; f != nil {
		q := requestOf(b, a, to)
		in := &expr.Input{Source: q.Source, Destination: to, Data: q.Payload, Final: true}
		if h, ok := q.Headers.(*fields); ok {
			in.Head, in.Buf, in.Data = h.h, h.buf, nil
		}
		if v, out := f.As(in, expr.Bin); out == expr.Found {
			return b.group.PickHash(lb.Hash(b.cfg.HashType).Of(v.Str), lb.None)
		}
	}
	if b.key != nil {
		if hash, ok := b.key(requestOf(b, a, to), lb.Hash(b.cfg.HashType)); ok {
			return b.group.PickHash(hash, lb.None)
		}
	}
	return b.group.Pick(lb.None, nil)
}

func requestOf(b *backend, a asked, to netip.AddrPort) *lb.Request {
	from := netip.MustParseAddr("127.0.0.1")
	if a.from != "" {
		from = netip.MustParseAddr(a.from)
	}
	q := &lb.Request{Source: netip.AddrPortFrom(from, 12345), Target: to, Payload: []byte(a.text)}
	if b.cfg.Mode == settings.HTTP {
		buf := []byte(a.text)
		h := &h1.Head{}
		h.Reset()
		if v := h.ParseRequest(buf); v != h1.Complete {
			panic(fmt.Sprintf("%q: %v", a.text, v))
		}
		q.HTTP, q.Method, q.URI, q.Body, q.Headers = true, h.MethodAt.In(buf), h.Target.In(buf), buf[h.Len:], &fields{h, buf}
	}
	return q
}

// record asks HAProxy and writes down what it chose.
func record(t *testing.T, file string, cases []balanced) {
	var at []string
	for i := range 6 {
		at = append(at, script(t, func(c net.Conn) {
			in := bufio.NewReader(c)
			if first, err := in.Peek(1); err != nil || first[0] == 3 {
				fmt.Fprint(c, i)
				io.Copy(io.Discard, in)
				return
			}
			for {
				q, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				io.Copy(io.Discard, q.Body)
				io.WriteString(c, fmt.Sprintf("HTTP/1.1 200 OK\r\nX-Server: %d\r\nContent-Length: 0\r\n\r\n", i))
			}
		}))
	}
	var text strings.Builder
	text.WriteString("global\n nbthread 1\n" + balancedDefaults)
	for i, c := range cases {
		text.WriteString(c.text(fmt.Sprintf("c%d", i), listenAt(i), at))
	}
	cfg := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(cfg, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, "haproxy", "-db", "-f", cfg)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	defer cmd.Wait()
	defer cancel()
	out := "# The server that HAProxy 2.6.12 chose for each request of the cases in balance_test.go.\n"
	for i, c := range cases {
		out += c.name() + " => "
		for _, a := range c.ask {
			answer := askOne(t, a, listenAt(i))
			out += answer
		}
		out += "\n"
	}
	if err := os.WriteFile(file, []byte(out), 0o644); err != nil {
		t.Fatal(err)
	}
}

// listenAt is where HAProxy listens for a case: all have one port, as that is
// hashed too, on an address each.
func listenAt(i int) string { return fmt.Sprintf("127.100.%d.%d:21700", i/200, 1+i%200) }

func askOne(t *testing.T, a asked, to string) string {
	d := net.Dialer{}
	if a.from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(a.from)}
	} else {
		d.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}
	}
	var c net.Conn
	var err error
	waitFor(t, func() bool { c, err = d.Dial("tcp", to); return err == nil })
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	io.WriteString(c, a.text)
	if a.text[0] == 3 {
		one := make([]byte, 1)
		if _, err := io.ReadFull(c, one); err != nil {
			t.Fatalf("%q: %v", a.text, err)
		}
		return string(one)
	}
	method, _, _ := strings.Cut(a.text, " ")
	resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%q: %v", a.text, err)
	}
	if s := resp.Header.Get("X-Server"); s != "" {
		return s
	}
	return fmt.Sprintf("<%d>", resp.StatusCode)
}
