package directive

import (
	"strings"
	"testing"

	"herald/config"
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
		"http-check connect addr h":                                     `"h" is not an IP address`,
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
