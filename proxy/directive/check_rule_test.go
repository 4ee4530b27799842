package directive

import (
	"fmt"
	"strings"
	"testing"

	"herald/config"
	"herald/proxy/check"
	"herald/proxy/check/script"
)

func TestWrongCheckRulesAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"option httpchk GET / HTTP/11":                                  `"HTTP/11" is not HTTP/1.0 or HTTP/1.1`,
		"option mysql-check haproxy":                                    `expected: [user NAME`,
		"option mysql-check user a post-40":                             `did you mean "post-41"`,
		"option pgsql-check":                                            `expected: user NAME`,
		"http-check expect":                                             `expected what to look for`,
		"http-check expect statsu 200":                                  `did you mean "status"`,
		"http-check expect status 2xx":                                  `"2xx" is not a status`,
		"http-check expect status 300-200":                              `"300-200" is not a status`,
		"http-check expect rstatus (":                                   `regular expression "("`,
		"http-check expect rstatus (?!5)":                               `uses look-ahead, which is not supported`,
		"http-check expect string":                                      `"string" needs an argument`,
		"http-check expect string a string b":                           `"string" follows the match`,
		"http-check expect binary 00":                                   `"binary"`,
		"http-check expect ok-status L7TOUT string a":                   `unknown ok-status "L7TOUT"`,
		"http-check expect hdr nam x":                                   `expected name or name-lf`,
		"http-check expect hdr name -m subb x":                          `did you mean "sub"`,
		"http-check expect hdr name-lf -m reg x":                        `does not go with -m reg`,
		"http-check expect on-error %[fee] string a":                    `fetch method "fee"`,
		"http-check expect on-error %ci string a":                       `variable %ci means nothing in a health check`,
		"http-check send methd GET":                                     `did you mean "meth"`,
		"http-check send hdr a:b c":                                     `"a:b" is not a header name`,
		"http-check send ver HTTP":                                      `"HTTP" is not HTTP/1.0 or HTTP/1.1`,
		"http-check connect port 70000":                                 `port "70000" is outside 1 to 65535`,
		"http-check connect addr 10.1.1.1:80-90":                        `addr: "10.1.1.1:80-90": expected one port`,
		"http-check connect addr fd@3":                                  `addr: "fd@3": nothing can be sent to a listener`,
		"http-check connect proto fcgi":                                 `"fcgi" is known to HAProxy but not supported yet`,
		"http-check set-var(x.y) int(1)":                                `variable "x.y" does not begin with`,
		"http-check set-var(check.y,ifnever) int(1)":                    `"ifnever" is not a condition`,
		"http-check set-var(check.y) int(a)":                            `"a" is not a number`,
		"http-check set-var(check.y) str(a),uper":                       `did you mean "upper"`,
		"http-check exspect status 200":                                 `did you mean "expect"`,
		"tcp-check send-binary 0":                                       `pairs of hexadecimal digits`,
		"tcp-check expect status 200":                                   `"status"`,
		"tcp-check send a commnt b":                                     `did you mean "comment"`,
		"tcp-check expect on-error %[status] string a":                  `"status" needs an http-check`,
		"option tcp-check\ntcp-check send a\ntcp-check connect":         `the first connect rule must come before`,
		"option httpchk\nhttp-check send meth A\nhttp-check send uri /": `needs a connect rule before it`,
		"http-check expect status 200":                                  `ignored without "option httpchk"`,
		"server s h:1 check check-ssl":                                  `verify is on and no ca-file`,
		"server s h:1 check check-proto h3":                             `"h3" is not h1, h2 or none`,
	} {
		if got := found("listen l\n bind :1\n " + strings.ReplaceAll(text, "\n", "\n ") + "\n"); !strings.Contains(got, want) {
			t.Errorf("%q: got %q, want %q in it", text, got, want)
		}
	}
}

func checkOf(t *testing.T, text string) *script.Script {
	t.Helper()
	cfg, diags := build(text, Options{})
	for _, d := range diags {
		if d.Severity == config.Error {
			t.Fatalf("%s\n%v", text, d)
		}
	}
	return cfg.Proxies[len(cfg.Proxies)-1].Check.Script
}

func TestRulesOfASectionReplaceThoseOfItsDefaults(t *testing.T) {
	defaults := "defaults\n option httpchk GET /d\n http-check expect status 201\n http-check expect string a\n"
	if got := len(checkOf(t, defaults+"listen l\n bind :1\n").Steps); got != 4 {
		t.Errorf("inherited: got %d steps, want connect, send and two expects", got)
	}
	s := checkOf(t, defaults+"listen l\n bind :1\n http-check expect status 200\n")
	if got := len(s.Steps); got != 3 {
		t.Errorf("own rule: got %d steps, want connect, send, expect", got)
	}
	if s := checkOf(t, defaults+"listen l\n bind :1\n option redis-check\n"); s.Kind != script.Protocol {
		t.Errorf("another option: got kind %v, want the one of redis", s.Kind)
	}
}

// The greetings are those HAProxy 2.6.12 sends.
func TestMailServersAreGreeted(t *testing.T) {
	for words, want := range map[string]string{
		"":             "HELO localhost\r\n",
		" EHLO a.test": "EHLO a.test\r\n",
		" HELO a.test": "HELO a.test\r\n",
		" HELO":        "HELO localhost\r\n",
		" FOO a.test":  "HELO localhost\r\n",
	} {
		s := checkOf(t, "listen l\n bind :1\n option smtpchk"+words+"\n")
		if got, _ := s.Steps[2].Send.Data.Constant(); got != want {
			t.Errorf("smtpchk%s: got %q, want %q", words, got, want)
		}
	}
}

// What a rule says is what the step does.
func TestCheckRulesBecomeSteps(t *testing.T) {
	s := checkOf(t, `listen l
 bind :1
 option tcp-check
 tcp-check connect default port 8080 addr 127.0.0.1 send-proxy via-socks4 ssl sni a.example alpn h2,http/1.1 linger proto none comment hello
 tcp-check send-binary 00ff
 tcp-check expect min-recv 5 comment hi error-status L7STS tout-status L6TOUT ok-status L7OKC on-success fine ! string a
 tcp-check expect ! !binary 00ff
 tcp-check expect rstring ^b
 tcp-check unset-var(check.x)
`)
	k := s.Steps[0].Connect
	if k == nil || k.PortText != "8080" || k.Addr != "127.0.0.1" || !k.Default || !k.SendProxy || !k.Socks4 || !k.TLS || !k.Linger || k.SNI != "a.example" || strings.Join(k.ALPN, " ") != "h2 http/1.1" ||
		k.Proto != "none" || s.Steps[0].Comment != "hello" {
		t.Errorf("connect: %+v, comment %q", k, s.Steps[0].Comment)
	}
	if data, ok := s.Steps[1].Send.Data.Constant(); !ok || data != "\x00\xff" {
		t.Errorf("send-binary: %q", data)
	}
	x := s.Steps[2].Expect
	if said, ok := x.OnSuccess.Constant(); !ok || said != "fine" || x.MinRecv != 5 || !x.Not || x.Match != script.String || string(x.Pattern) != "a" ||
		x.Fail != check.L7STS || x.Timeout != check.L6TOUT || x.OK != check.L7OKC || s.Steps[2].Comment != "hi" {
		t.Errorf("expect ! string: %+v", x)
	}
	if x := s.Steps[3].Expect; x.Not || x.Match != script.Binary || string(x.Pattern) != "\x00\xff" || x.MinRecv != -1 {
		t.Errorf("expect ! !binary: %+v", x)
	}
	if x := s.Steps[4].Expect; x.Match != script.Regex || !x.Regex.MatchString("bc") || x.Regex.MatchString("cb") {
		t.Errorf("expect rstring: %+v", x)
	}
	if u := s.Steps[5]; u.Action != script.ActUnset || u.Variable != "check.x" {
		t.Errorf("unset-var: %+v", u)
	}

	s = checkOf(t, `listen l
 bind :1
 option httpchk GET / HTTP/1.0\r\nHost:\ a.example\r\n\r\nx\ y
 http-check expect fhdr name -m beg x- value-lf b%[int(1)]
`)
	q := s.Steps[1].Send.HTTP
	if host, _ := q.Headers[0].Text.Constant(); q.Version != "HTTP/1.0" || len(q.Headers) != 1 || q.Headers[0].Name != "Host" || host != "a.example" {
		t.Errorf("headers behind the version: %+v", q)
	}
	if body, _ := q.Body.Constant(); body != "x y" {
		t.Errorf("body behind the version: %q", body)
	}
	h := s.Steps[2].Expect
	if name, _ := h.Name.Text.Constant(); h.Match != script.FullHeader || h.Name.Method != "beg" || name != "x-" || h.Value == nil || h.Value.Method != "str" {
		t.Errorf("expect fhdr: %+v", h)
	}
}

// The nameservers of the system are asked at their port 53.
func TestNameserversOfTheSystem(t *testing.T) {
	opt := world
	opt.ReadFile = func(name string) ([]byte, error) {
		if name != "/etc/resolv.conf" {
			t.Errorf("%s is read", name)
		}
		return []byte("# mine\nsearch a.example\nnameserver\nnameserver 10.0.0.1\nnameserver  ::1 # local\nnameserver dns.example\n"), nil
	}
	for _, text := range []string{quiet + "resolvers r\n parse-resolv-conf\n", quiet + " server a a.example:1 resolvers default init-addr none\n"} {
		cfg, diags := build(text, opt)
		var got []string
		for _, n := range cfg.Resolvers[0].Nameservers {
			got = append(got, n.Name+" "+n.Network+" "+n.Address)
		}
		if strings.Join(got, ", ") != "10.0.0.1 udp 10.0.0.1:53, ::1 udp [::1]:53" {
			t.Errorf("%s: %q", text, got)
		}
		if len(diags) != 1 || !strings.HasSuffix(diags[0].String(), `: /etc/resolv.conf: nameserver "dns.example" is not an address`) {
			t.Errorf("%s: %v", text, diags)
		}
	}
}

// What a backend says of its checks and what its defaults said come to one
// request and one expectation.
func TestChecksOverTwoSections(t *testing.T) {
	const defaults = " option httpchk GET /d\n http-check send hdr x d\n http-check expect status 500\n"
	for _, c := range []struct{ name, defaults, backend, want string }{
		{"all of the defaults", defaults, "", "GET /d HTTP/1.0\r\nx: d\r\n\r\n500-500"},
		{"an option of its own", defaults, " option httpchk\n", "OPTIONS / HTTP/1.0\r\n\r\n200-399"},
		{"an option and rules of its own", defaults, " http-check expect status 204\n option httpchk HEAD /b\n", "HEAD /b HTTP/1.0\r\n\r\n204-204"},
		{"a request of its own", defaults, " http-check send uri /b\n", "OPTIONS /b HTTP/1.0\r\n\r\n200-399"},
		{"an expectation of its own", defaults, " http-check expect status 204\n", "GET /d HTTP/1.0\r\nx: d\r\n\r\n204-204"},
		{"an expectation, and the option alone", " option httpchk GET /d\n", " http-check expect status 204\n", "GET /d HTTP/1.0\r\n\r\n204-204"},
		{"rules without an option before", " http-check send hdr x d\n", " option httpchk GET /b\n", "GET /b HTTP/1.0\r\n\r\n200-399"},
		{"a length where a body might be", "", " option httpchk POST /b\n", "POST /b HTTP/1.0\r\ncontent-length: 0\r\n\r\n200-399"},
	} {
		p := proxies(t, "defaults\n mode http\n"+c.defaults+"backend b\n"+c.backend+" server a 10.0.0.1:1 check\nfrontend f\n bind :80\n")[0]
		s := p.Check.Script
		m := script.Start(s, &script.World{}, 16384)
		w := m.Next()
		if w.Kind == script.Dial {
			m.Dialed(false)
			w = m.Next()
		}
		got := string(w.Bytes)
		for _, st := range s.Steps {
			if st.Action == script.ActExpect && len(st.Expect.Status) == 1 {
				got += fmt.Sprintf("%d-%d", st.Expect.Status[0].Low, st.Expect.Status[0].High)
			}
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	p := proxies(t, "backend b\n option httpchk\n http-check expect hdr name -m reg ^X-A value -m reg B\n server a 10.0.0.1:1 check\nfrontend f\n bind :80\n")[0]
	for _, st := range p.Check.Script.Steps {
		if x := st.Expect; x != nil && (!x.Name.Regex.MatchString("x-a") || x.Value.Regex.MatchString("b")) {
			t.Error("names of headers have no case, their values do")
		}
	}
}
