package directive

import (
	"slices"
	"strings"

	"herald/config"
	"herald/proxy/check/script"
	"herald/proxy/settings"
)

// checkDraft is the health check of a section while it is read.
type checkDraft struct {
	kind     string // the option: "httpchk", "tcp-check", "redis-check"; empty without one
	protocol func() *script.Script
	request  *script.Send // of option httpchk

	http, tcp             []script.Step
	ownHTTP, ownTCP       bool // rules of this section itself replace those of its defaults
	ownRequest            bool // so does its own option httpchk, rules included
	replaced              []script.Step
	disable404, sendState bool
	external              settings.ExternalCheck
}

// inherit copies what a section takes over from its defaults.
func (d checkDraft) inherit() checkDraft {
	d.http, d.tcp = slices.Clone(d.http), slices.Clone(d.tcp)
	d.ownHTTP, d.ownTCP, d.ownRequest, d.replaced = false, false, false, nil
	return d
}

// checkOption makes the row of an option that chooses the check.
func checkOption(name, syntax, example, doc string, max int, read func(c *call) func() *script.Script) config.Row[keyword] {
	return config.Row[keyword]{Name: "option " + name, Syntax: syntax, Example: strings.TrimSpace("option " + name + " " + example), Doc: doc,
		Do: keyword{in: backSide, max: max, read: func(c *call) {
			if s := read(c); s != nil {
				c.px.check.kind, c.px.check.protocol = name, s
			}
		}}}
}

// simpleCheck makes the row of an option without arguments.
func simpleCheck(name, doc string, make func() *script.Script) config.Row[keyword] {
	return checkOption(name, "", "", doc, 0, func(*call) func() *script.Script { return make })
}

var healthRows = []config.Row[keyword]{
	{Name: "option httpchk", Syntax: "[[METHOD] URI [VERSION]]", Example: "option httpchk GET /healthz HTTP/1.1",
		Doc: "Checks servers with an HTTP request; 2xx and 3xx are good unless http-check says otherwise.",
		Do:  keyword{in: backSide, max: many, read: readHTTPChk}},
	{Name: "option tcp-check", Example: "option tcp-check",
		Doc: "Checks servers by the exchange the tcp-check rules describe; by connecting when there are none.",
		Do:  keyword{in: backSide, read: func(c *call) { c.px.check.kind, c.px.check.protocol = "tcp-check", nil }}},
	{Name: "option mysql-check", Syntax: "[user NAME [post-41 | pre-41]]", Example: "option mysql-check user haproxy",
		Doc: "Checks MySQL and MariaDB servers by their greeting and, with a user, by a login without a password.",
		Do:  keyword{in: backSide, max: 3, read: readMySQLCheck}},
	checkOption("pgsql-check", "user NAME", "user haproxy", "Checks PostgreSQL servers by the beginning of a login.", 2, readPgSQLCheck),
	simpleCheck("redis-check", "Checks Redis servers with PING.", script.Redis),
	checkOption("smtpchk", "[HELO | EHLO DOMAIN]", "EHLO mail.example", "Checks mail servers with a greeting (RFC 5321).", 2, readSMTPChk),
	simpleCheck("ldap-check", "Checks LDAP servers with an anonymous bind (RFC 4511).", script.LDAP),
	simpleCheck("ssl-hello-chk", "Checks that servers answer a ClientHello of SSL 3.0; check-ssl is the better check.", script.SSLHello),
	simpleCheck("spop-check", "Checks stream processing offload agents with their handshake.", script.SPOP),
	toggle("share-checks", backSide, "Servers of several backends that are checked in the same way at the same address share one check; not HAProxy's.",
		func(p *settings.Proxy) *bool { return &p.Check.Share }),
}

func readHTTPChk(c *call) {
	r := &script.Request{}
	uri := ""
	switch len(c.args) {
	case 0:
	case 1:
		uri = c.arg(0)
	default:
		r.Method, uri = c.arg(0), c.arg(1)
	}
	if uri != "" {
		r.URI = script.Literal(uri)
	}
	version := strings.Join(c.texts(min(2, len(c.args))), " ")
	head, rest, hidden := strings.Cut(version, "\r\n")
	if hidden {
		c.diags.Obsolete(c.line.Pos, "option httpchk", "http-check send for headers and body")
		if !c.hiddenHeaders(r, rest) {
			return
		}
	}
	if r.Version = head; head != "" && !c.httpVersion(2, head) {
		return
	}
	k := &c.px.check
	k.kind, k.protocol = "httpchk", nil
	k.request, k.ownRequest = &script.Send{HTTP: r}, true
	if !k.ownHTTP {
		k.http = nil
	}
}

// asked is what option httpchk and rules to send make of one another over two
// sections: rules replace the option of the defaults with its rules when they
// send something. Those that do not would in HAProxy have nothing sent at all;
// here the defaults' request stays, with its rules.
func (k *checkDraft) asked() *script.Send {
	sends := func(s script.Step) bool { return s.Action == script.ActSend }
	if k.ownRequest || !k.ownHTTP {
		return k.request
	}
	if slices.ContainsFunc(k.http, sends) {
		return nil
	}
	if i := slices.IndexFunc(k.replaced, sends); i >= 0 {
		return k.replaced[i].Send.Over(k.request)
	}
	return k.request
}

// hiddenHeaders reads headers and a body written behind the version, as files
// older than HAProxy 2.2 have them.
func (c *call) hiddenHeaders(r *script.Request, text string) bool {
	head, body, hasBody := strings.Cut(text, "\r\n\r\n")
	for l := range strings.SplitSeq(head, "\r\n") {
		if l == "" {
			continue
		}
		name, value, ok := strings.Cut(l, ":")
		if !ok || name == "" {
			c.reject(2, "%q is not a header", l)
			return false
		}
		r.Headers = append(r.Headers, script.HeaderText{Name: name, Text: script.Literal(strings.TrimSpace(value))})
	}
	if hasBody && body != "" {
		r.Body = script.Literal(body)
	}
	return true
}

func (c *call) httpVersion(i int, text string) bool {
	rest, ok := strings.CutPrefix(text, "HTTP/")
	if !ok || len(rest) != 3 || rest[1] != '.' || rest[0] < '0' || rest[0] > '9' || rest[2] < '0' || rest[2] > '9' {
		c.reject(i, "version %q is not HTTP/1.0 or HTTP/1.1", text)
		return false
	}
	return true
}

func readMySQLCheck(c *call) {
	user, old := "", false
	if len(c.args) > 0 {
		if c.arg(0) != "user" || c.arg(1) == "" {
			c.reject(0, "expected: [user NAME [post-41 | pre-41]]")
			return
		}
		user = c.arg(1)
	}
	switch c.arg(2) {
	case "", "post-41":
	case "pre-41":
		old = true
	default:
		c.unknownValue(2, "client version", []string{"post-41", "pre-41"})
		return
	}
	c.px.check.kind, c.px.check.protocol = "mysql-check", func() *script.Script { return script.MySQL(user, old) }
}

func readPgSQLCheck(c *call) func() *script.Script {
	if c.arg(0) != "user" || c.arg(1) == "" {
		c.reject(0, "expected: user NAME")
		return nil
	}
	user := c.arg(1)
	return func() *script.Script { return script.PgSQL(user) }
}

func readSMTPChk(c *call) func() *script.Script {
	hello, domain := "HELO", "localhost"
	if len(c.args) == 2 && (c.arg(0) == "EHLO" || c.arg(0) == "HELO") { // else HAProxy keeps to its own greeting
		hello, domain = c.arg(0), c.arg(1)
	}
	return func() *script.Script { return script.SMTP(hello, domain) }
}

// finishCheck makes the script of a backend's checks.
func (b *builder) finishCheck(d *draft) {
	k, p := &d.check, &d.p
	if !p.Backend {
		return
	}
	if k.ownHTTP && k.kind != "httpchk" {
		b.cross(d.set["http-check"], config.Warning, "http-check", "http-check rules of %s %q are ignored without \"option httpchk\"", d.kind, p.Name)
	}
	if k.ownTCP && k.kind != "tcp-check" {
		b.cross(d.set["tcp-check"], config.Warning, "tcp-check", "tcp-check rules of %s %q are ignored without \"option tcp-check\"", d.kind, p.Name)
	}
	var s *script.Script
	switch {
	case k.kind == "external-check":
		b.finishExternal(d)
		s = &script.Script{}
	case k.protocol != nil:
		s = k.protocol()
	case k.kind == "httpchk":
		s = &script.Script{Kind: script.HTTP, Steps: slices.Clone(k.http), Request: k.asked(), Disable404: k.disable404, SendState: k.sendState}
	case k.kind == "tcp-check":
		s = &script.Script{Kind: script.TCP, Steps: slices.Clone(k.tcp)}
	default:
		s = &script.Script{}
	}
	if s.Kind != script.Protocol {
		if err := s.Check(); err != nil {
			b.cross(p.Pos, config.Error, p.Name, "%s %q: %v", d.kind, p.Name, err)
		}
		s.Finish()
	}
	p.Check.Script = s
	for i := range p.Servers {
		v := &p.Servers[i]
		if v.Agent.Enabled && v.Agent.Port == 0 {
			b.cross(v.Pos, config.Error, v.Name, "server %q has agent-check without agent-port", v.Name)
		}
		b.finishServerTLS(v, v.Check && (v.Checks.TLS || s.Encrypts()))
	}
}
