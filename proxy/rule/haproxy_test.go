package rule

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"herald/proxy/expr"
	"herald/proxy/reference"
)

var update = flag.Bool("update", false, "ask the haproxy that is installed, and write what it answers to testdata")

// asked are requests, and conditions HAProxy was asked about with each.
var asked = struct{ requests, conditions []string }{
	requests: []string{
		"GET /api/v1/x.PNG?a=1&b=&c=3;d=4&a=5 HTTP/1.1\r\nHost: WWW.Example.com:8080\r\nX-List: a, \"b,c\" ,d\r\nX-List: e\r\nX-Empty:\r\nContent-Length: 0\r\nCookie: sid=abc; lang=de; e=\r\nX-IP: 10.1.2.3, 192.0.2.9\r\nX-Num: 42, -7\r\n\r\n",
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
		"{ path -m int 1 }", "{ hdr a }", "{ hdr_cnt 8 }", "{ src -m beg 127 }", "{ src -m str 127.0.0.1 }", "{ src -m int 2130706433 }", "{ src -m len 9 }", "{ src -m bin 7f000001 }", "{ src -m bool }", "{ src }",
		"{ dst_port -m str 80 }", "{ dst_port -m len 5 4 }", "{ dst_port gt 1 lt 0 }", "{ dst_port 1:65535 }", "{ dst_port 1: }", "{ dst_port :65535 }", "{ dst_port le 65535 }", "{ src_port -m ip 1.2.3.4 }",
		"{ src 127.0.0.0/255.0.255.255 }", "{ src 127.1.0.0/255.0.255.0 }", "{ src 10.0.0.0/8 127.0.0.0/8 }", "{ src ::ffff:127.0.0.1 }", "{ src 0.0.0.0/0 }", "{ src ::/0 }",
		"{ hdr_ip(x-ip) 10.1.2.0/24 192.0.2.9 }", "{ hdr(x-ip,1) -m ip 10.1.2.3 }", "{ hdr(x-ip),ipmask(24) 192.0.2.0 }", "{ url_ip -m found }", "{ url_port 80 }",
		"{ path -m bin 2f }", "{ path -m bin 2F61 2f3f }", "{ hdr(x-list) -m bin 61 }", "{ base32 gt 0 }", "{ base32 -m len 10 }", "{ base32+src -m len 8 }", "{ base32+src -m found }", "{ url32 gt 2000000000 }",
		"{ path -m dom -i v1 }", "{ path -m sub -i PNG zzz }", "{ path -m sub a b c d e f g h }", "{ path -m sub /api/v1/x.PN qqqq wwww eeee rrrr }", "{ path -m end G zz /y /base/ kk }", "{ path -m end -i .gif .png .jpg .ico .css .js }",
		"{ path -m beg /a/ /b/ /c/ /base /ap }", "{ path -m dir a b c d e f v1 }", "{ path -m dir v1/x.PNG q r s t }", "{ path -m dir /v1/ q r s t }", "{ path -m dom PNG q r s t }", "{ hdr(host) -m dom -i example.com q r s t }",
		"{ hdr(host) -m dom Example q r s t }", "{ hdr(host) -m dom 80 q r s t }", "{ hdr(host) -m dom :80 }", "{ path -m dir / }", "{ path -m sub / }", "{ path -m beg -- -i / }", "{ path -m str -i -- -i /API/V1/X.png }",
		"{ path -m reg ^/$ \\.PNG$ }", "{ path -m reg -i ^/API }", "{ path_reg -i png }", "{ url_reg a=[0-9] }", "{ path -m len 1 12 }", "{ path -m len lt 2 }",
		"{ path,lower /api/v1/x.png }", "{ path,length 12 }", "{ path,length gt 5 }", "{ path,length,even }", "{ path,length,mod(2) 1 }", "{ path,crc32 -m found }", "{ path,sha1,hex -m beg 8 }", "{ path,bytes(0,2) -m bin 2f61 }", "{ path,bytes(0,2) -m str /a }",
		"{ path_beg,lower /api/v1/x.png }", "{ hdr(x-list),upper A }", "{ hdr(x-list),upper D }", "{ hdr(x-list),length 1 }", "{ hdr_val(x-num) lt 0 }", "{ cook(lang),upper DE EN }", "{ urlp(a),add(1) 6 }", "{ urlp(a),add(1) 2 }", "{ req.cook(sid),length 3 }",
		"{ str(a) a }", "{ int(5) gt 4 }", "{ int(5) 1:4 }", "{ int(5) 1:3 5 }", "{ bool(true) }", "{ bool(0) }", "!{ bool(0) }", "{ bin(4142) -m str AB }", "{ bin(4142) -m bin 4142 }", "{ ipv4(10.0.0.1) 10.0.0.0/8 }", "{ ipv6(2001:db8::1) 2001:db8::/32 }", "{ meth(GET) -m str GET }",
		"{ int(1),bool }", "{ int(0),not }", "{ int(7),and(4) 4 }", "{ env(HERALD_UNSET) -m found }", "{ rand(1) 0 }", "{ nbproc 1 }", "{ date gt 1600000000 }", "{ uuid -m len 36 }", "{ fc_http_major 1 }", "{ ssl_fc }", "{ ssl_fc_sni -m found }", "{ ssl_c_used }", "{ fc_rcvd_proxy }",
		"{ req.hdr_names -m sub x-list }", "{ req.fhdr(x-list) e }", "{ req.fhdr(x-list) -m beg a, }", "{ req.fhdr_cnt(x-list) 2 }", "{ hdr(x-list,1) a }", "{ hdr(x-list,-1) e }", "{ hdr(x-list,-2) d }", "{ req.body_size gt 0 }", "{ req.ver 1.0 1.1 }",
		"{ hdr(host) -f testdata/hosts.lst }", "{ hdr(host) -i -f testdata/hosts.lst }", "{ hdr(host) -m end -f testdata/ends.lst }", "{ hdr(host) -m dom -i -f testdata/ends.lst other }", "{ src -f testdata/nets.lst }", "{ hdr_ip(x-ip) -f testdata/nets.lst }", "{ path -m beg -M -f testdata/paths.map }", "{ path -M -f testdata/paths.map }",
		"{ hdr(host),lower,map(testdata/hosts.map) one }", "{ hdr(host),lower,map(testdata/hosts.map,none) none }", "{ hdr(host),lower,map_end(testdata/ends.map) a }", "{ hdr(host),lower,map_dom(testdata/ends.map) b }", "{ path,map_beg(testdata/paths.map) two\\ words }", "{ path,map_beg(testdata/paths.map) long }",
		"{ src,map_ip(testdata/nets.map) inner }", "{ src,map_ip(testdata/nets.map) outer }", "{ path,map_sub_int(testdata/numbers.map) 7 }", "{ path,map_reg(testdata/regs.map) one }", "{ path,map_regm(testdata/regs.map) api-v1 }", "{ path,length,map_int(testdata/ints.map) twelve }", "{ hdr(host),map_str_ip(testdata/addrs.map) 10.0.0.0/8 }", "{ path,map_str_int(testdata/numbers.map,3) 3 }", "{ path,map_dir(testdata/ends.map) c }",
		"{ int(0) -- -1 }", "{ int(1) -- -1 }", "{ int(-5) -- -1 }", "{ int(2) -- -1 }", "{ int(3) 2-5 }", "{ int(6) 2-5 }", "{ int(6) 2- }", "{ int(-1) :-1 }", "{ int(0) :-1 }", "{ int(5) gt 4 1:2 }", "{ int(1) gt 4 1:2 }", "{ int(3) gt 4 1:2 }", "{ int(-3) lt 0 gt 4 }",
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
		names := Names{Loader: expr.Loader{Read: os.ReadFile, Made: map[string]any{}}}
		c, err := names.Condition(strings.Fields(strings.ReplaceAll(strings.ReplaceAll(cond, `\"`, `"`), `\\`, `\`)))
		if err != nil {
			t.Errorf("%s: %v", cond, err)
			continue
		}
		for j, r := range asked.requests {
			in := request(t, r)
			in.Source, in.Destination = local, local
			got := c.Holds(in) == expr.Found
			if want := verdicts[j] == 'y'; got != want {
				t.Errorf("%s, %q: %v, want %v", cond, r, got, want)
			}
		}
	}
}

// askHAProxy has a real one evaluate all conditions on each request.
func askHAProxy(t *testing.T) {
	addr := reference.Address(t)
	var cfg strings.Builder
	fmt.Fprintf(&cfg, "global\n tune.http.logurilen 4096\n tune.bufsize 65536\ndefaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 5s\nfrontend f\n bind %s\n", addr)
	format := ""
	for i, c := range asked.conditions {
		fmt.Fprintf(&cfg, " http-request set-var(txn.v%d) bool(true) if %s\n", i, c)
		format += fmt.Sprintf("%%[var(txn.v%d)],", i)
	}
	fmt.Fprintf(&cfg, " http-request return status 200 content-type text/plain lf-string %s\n", format)
	reference.Run(t, cfg.String())
	verdicts := make([][]byte, len(asked.conditions))
	for _, r := range asked.requests {
		body := reference.Ask(t, addr, r+"hello, body!"[:12*strings.Count(r, "Content-Length: 12")])
		parts := strings.Split(body, ",")
		if len(parts) != len(verdicts)+1 {
			t.Fatalf("%q: %q", r, body)
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

var local = netip.MustParseAddrPort("127.0.0.1:40000")
