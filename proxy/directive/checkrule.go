package directive

import (
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"herald/config"
	"herald/proxy/check"
	"herald/proxy/check/script"
)

// rule makes the row of one rule of tcp-check or http-check.
func rule(family, name, syntax, example, doc string, read func(r *ruleReader)) config.Row[keyword] {
	return config.Row[keyword]{Name: family + " " + name, Syntax: syntax, Example: family + " " + name + " " + example, Doc: doc,
		Do: keyword{in: backSide, max: many, read: func(c *call) { newRule(c, family).run(read) }}}
}

// variables makes the row of the rules whose second word carries a name.
func variables(family string) config.Row[keyword] {
	return config.Row[keyword]{Name: family, Syntax: "set-var(NAME[,CONDITION...]) EXPRESSION | set-var-fmt(NAME[,CONDITION...]) FORMAT | unset-var(NAME)",
		Example: family + " set-var(check.port) int(8080)", Doc: "Sets and forgets variables of a health check: check.NAME, sess.NAME, proc.NAME.",
		Do: keyword{in: backSide, min: 1, max: many, read: func(c *call) { newRule(c, family).run(readVariable) }}}
}

const (
	connectSyntax = "[default] [port PORT | EXPRESSION] [addr ADDRESS] [send-proxy] [ssl] [sni NAME] [alpn LIST] [linger] [proto NAME] [comment TEXT]"
	expectSyntax  = "[min-recv N] [comment TEXT] [ok-status S] [error-status S] [tout-status S] [on-success FORMAT] [on-error FORMAT] [status-code EXPRESSION] [!] "
)

var checkRuleRows = []config.Row[keyword]{
	rule("http-check", "comment", "TEXT", "first\\ page", "What the log says when the next rule fails.", readComment),
	rule("http-check", "connect", connectSyntax, "port 8080", "Opens a connection for the rules that follow.", readConnect),
	{Name: "http-check disable-on-404", Example: "http-check disable-on-404",
		Doc: "A 404 takes a running server out of balancing (NOLB); it keeps its sessions.",
		Do:  keyword{in: backSide, read: func(c *call) { c.px.check.disable404 = true }}},
	rule("http-check", "expect", expectSyntax+"status LIST | rstatus REGEX | string TEXT | string-lf FORMAT | rstring REGEX | hdr|fhdr name|name-lf [-m METHOD] NAME [value|value-lf [-m METHOD] VALUE]",
		"status 200-299", "What a response must, or with ! must not, be like.", readExpect),
	rule("http-check", "send", "[meth METHOD] [uri URI | uri-lf FORMAT] [ver VERSION] [hdr NAME FORMAT]... [body TEXT | body-lf FORMAT] [comment TEXT]",
		"meth GET uri /healthz ver HTTP/1.1 hdr Host www.example", "The request of a check; what it does not say comes from option httpchk.", readHTTPSend),
	{Name: "http-check send-state", Example: "http-check send-state",
		Doc: "Tells servers in X-Haproxy-Server-State how they are seen.",
		Do:  keyword{in: backSide, read: func(c *call) { c.px.check.sendState = true }}},
	variables("http-check"),
	rule("tcp-check", "comment", "TEXT", "greeting", "What the log says when the next rule fails.", readComment),
	rule("tcp-check", "connect", connectSyntax, "port 6379", "Opens a connection for the rules that follow.", readConnect),
	rule("tcp-check", "expect", expectSyntax+"string TEXT | string-lf FORMAT | rstring REGEX | binary HEX | binary-lf FORMAT | rbinary REGEX",
		"string +PONG", "What must, or with ! must not, be received.", readExpect),
	rule("tcp-check", "send", "TEXT [comment TEXT]", "PING\\r\\n", "Bytes to send.", func(r *ruleReader) { r.readSend(false, false) }),
	rule("tcp-check", "send-lf", "FORMAT [comment TEXT]", "HELO\\ %H\\r\\n", "A log-format text to send.", func(r *ruleReader) { r.readSend(true, false) }),
	rule("tcp-check", "send-binary", "HEX [comment TEXT]", "50494e470d0a", "Bytes to send, in hexadecimal.", func(r *ruleReader) { r.readSend(false, true) }),
	rule("tcp-check", "send-binary-lf", "FORMAT [comment TEXT]", "50%[str(49)]4e470d0a", "Bytes to send, in hexadecimal once the text is evaluated.",
		func(r *ruleReader) { r.readSend(true, true) }),
	variables("tcp-check"),
}

// ruleReader walks the words of one rule.
type ruleReader struct {
	*call
	http   bool
	at2    int // the next argument
	step   script.Step
	failed bool
}

func newRule(c *call, family string) *ruleReader {
	return &ruleReader{call: c, http: family == "http-check"}
}

// run reads the rule and adds it to the section. Its first rule replaces those
// taken over from defaults.
func (r *ruleReader) run(read func(*ruleReader)) {
	k, list, own, family := &r.px.check, &r.px.check.tcp, &r.px.check.ownTCP, "tcp-check"
	if r.http {
		list, own, family = &k.http, &k.ownHTTP, "http-check"
	}
	read(r)
	if r.failed {
		return
	}
	if !*own {
		if r.http {
			k.replaced = *list
		}
		*list, *own = nil, true
		r.px.set[family] = r.line.Pos
	}
	*list = append(*list, r.step)
}

// next takes a word; false at the end.
func (r *ruleReader) next() (string, bool) {
	if r.at2 >= len(r.args) {
		return "", false
	}
	r.at2++
	return r.args[r.at2-1].Text, true
}

// fault reports what is wrong with the word just taken.
func (r *ruleReader) fault(format string, args ...any) {
	if !r.failed {
		r.reject(max(r.at2-1, 0), format, args...)
	}
	r.failed = true
}

// value takes the argument of word.
func (r *ruleReader) value(word string) string {
	v, ok := r.next()
	if !ok {
		r.fault("%q needs an argument", word)
	}
	return v
}

func (r *ruleReader) format(word string) *script.Text {
	v := r.value(word)
	t, err := script.CompileText(v, r.http)
	if err != nil {
		r.fault("%s: %v", word, err)
	}
	return t
}

func (r *ruleReader) expression(word string) *script.Expr {
	v := r.value(word)
	x, err := script.CompileExpr(v, r.http)
	if err != nil {
		r.fault("%s: %v", word, err)
	}
	return x
}

func (r *ruleReader) regex(word string) *regexp.Regexp {
	re, err := script.CompileRegex(r.value(word))
	if err != nil {
		r.fault("%v", err)
	}
	return re
}

func (r *ruleReader) hex(word string) []byte {
	b, err := hex.DecodeString(r.value(word))
	if err != nil {
		r.fault("%q expects pairs of hexadecimal digits", word)
	}
	return b
}

// unknown reports a word no rule has.
func (r *ruleReader) unknown(what string, known ...string) {
	if !r.failed {
		w := r.args[r.at2-1]
		r.diags.Unknown(w.Pos, config.Error, what, w.Text, known)
	}
	r.failed = true
}

func readComment(r *ruleReader) {
	if len(r.args) == 0 {
		r.fault("expected a text")
	}
	r.step = script.Step{Action: script.ActComment, Comment: strings.Join(r.texts(0), " ")}
}

func readConnect(r *ruleReader) {
	k := &script.Connect{}
	r.step = script.Step{Action: script.ActConnect, Connect: k}
	for w, ok := r.next(); ok && !r.failed; w, ok = r.next() {
		switch w {
		case "default":
			k.Default = true
		case "port":
			r.readPort(k)
		case "addr":
			r.readAddress(k)
		case "send-proxy":
			k.SendProxy = true
		case "via-socks4":
			k.Socks4 = true
		case "ssl":
			k.TLS = true
		case "sni":
			k.SNI = r.value(w)
		case "alpn":
			k.ALPN = strings.Split(r.value(w), ",")
		case "linger":
			k.Linger = true
		case "proto":
			r.readProto(k)
		case "comment":
			r.step.Comment = r.value(w)
		default:
			r.unknown(r.name+" argument", "default", "port", "addr", "send-proxy", "ssl", "sni", "alpn", "linger", "proto", "comment")
		}
	}
}

func (r *ruleReader) readAddress(k *script.Connect) {
	text, err := r.value("addr"), error(nil)
	if k.Addr, k.AddrPort, err = probedAddress(text); err != nil && !r.failed {
		r.fault("addr: %v", err)
	}
}

func (r *ruleReader) readPort(k *script.Connect) {
	text := r.value("port")
	if n, err := strconv.Atoi(text); err == nil {
		if n < 1 || n > 65535 {
			r.fault("port %q is outside 1 to 65535", text)
		}
		k.PortText, text = text, "int("+text+")"
	}
	x, err := script.CompileExpr(text, r.http)
	if err != nil {
		r.fault("port: %v", err)
	}
	k.Port = x
}

func (r *ruleReader) readProto(k *script.Connect) {
	k.Proto = r.value("proto")
	known := []string{"none"}
	if r.http {
		known = []string{"h1", "h2"}
	}
	switch {
	case r.failed || slices.Contains(known, k.Proto):
	case r.http && k.Proto == "fcgi":
		r.diags.Unsupported(r.args[r.at2-1].Pos, config.Error, "protocol of health checks", k.Proto, "HAProxy")
		r.failed = true
	default:
		r.unknown("protocol", known...)
	}
}

// readSend reads the send rules of tcp-check.
func (r *ruleReader) readSend(format, hexadecimal bool) {
	s := &script.Send{Hex: hexadecimal && format}
	r.step = script.Step{Action: script.ActSend, Send: s}
	switch {
	case format:
		s.Data = r.format(r.name)
	case hexadecimal:
		s.Data = script.Literal(string(r.hex(r.name)))
	default:
		s.Data = script.Literal(r.value(r.name))
	}
	for w, ok := r.next(); ok && !r.failed; w, ok = r.next() {
		if w != "comment" {
			r.unknown(r.name+" argument", "comment")
			return
		}
		r.step.Comment = r.value(w)
	}
}

func readHTTPSend(r *ruleReader) {
	q := &script.Request{}
	r.step = script.Step{Action: script.ActSend, Send: &script.Send{HTTP: q}}
	for w, ok := r.next(); ok && !r.failed; w, ok = r.next() {
		switch w {
		case "meth":
			q.Method = r.value(w)
		case "uri":
			q.URI = script.Literal(r.value(w))
		case "uri-lf":
			q.URI = r.format(w)
		case "ver":
			q.Version = r.value(w)
			r.failed = r.failed || !r.httpVersion(r.at2-1, q.Version)
		case "hdr":
			name := r.value(w)
			text := r.format(w)
			if !r.failed && strings.ContainsAny(name, " \t\r\n:") {
				r.fault("%q is not a header name", name)
			}
			switch strings.ToLower(name) {
			case "content-length", "transfer-encoding":
				r.warn(r.at2-2, "header %q is ignored: the body decides", name)
			}
			q.Headers = append(q.Headers, script.HeaderText{Name: name, Text: text})
		case "body":
			q.Body = script.Literal(r.value(w))
		case "body-lf":
			q.Body = r.format(w)
		case "comment":
			r.step.Comment = r.value(w)
		default:
			r.unknown(r.name+" argument", "meth", "uri", "uri-lf", "ver", "hdr", "body", "body-lf", "comment")
		}
	}
}

func readVariable(r *ruleReader) {
	w, _ := r.next()
	verb, rest, open := strings.Cut(w, "(")
	inside, closed := strings.CutSuffix(rest, ")")
	known := []string{"comment", "connect", "expect", "send", "set-var", "set-var-fmt", "unset-var"}
	if r.http {
		known = append(known, "disable-on-404", "send-state")
	} else {
		known = append(known, "send-lf", "send-binary", "send-binary-lf")
	}
	switch verb {
	case "set-var", "set-var-fmt", "unset-var":
		if !open || !closed {
			r.fault("expected %s(NAME)", verb)
			return
		}
	default:
		r.unknown(r.name+" rule", known...)
		return
	}
	names := strings.Split(inside, ",")
	r.step = script.Step{Action: script.ActSet, Variable: names[0], Conditions: names[1:]}
	if err := script.VariableName(names[0]); err != nil {
		r.fault("%v", err)
	}
	for _, n := range names[1:] {
		if !script.Condition(n) {
			r.fault("%q is not a condition of %s", n, verb)
		}
	}
	switch verb {
	case "unset-var":
		r.step.Action, r.step.Conditions = script.ActUnset, nil
	case "set-var":
		r.step.Value = r.expression(verb)
	default:
		r.step.Text = r.format(verb)
	}
	if !r.failed && r.at2 < len(r.args) {
		r.at2++
		r.fault("unexpected argument %q", r.args[r.at2-1].Text)
	}
}

// statusWords are what ok-status, error-status and tout-status may say.
var statusWords = map[string]map[string]check.Status{
	"ok-status":    {"L7OK": check.L7OK, "L7OKC": check.L7OKC, "L6OK": check.L6OK, "L4OK": check.L4OK},
	"error-status": {"L7OKC": check.L7OKC, "L7RSP": check.L7RSP, "L7STS": check.L7STS, "L6RSP": check.L6RSP, "L4CON": check.L4CON},
	"tout-status":  {"L7TOUT": check.L7TOUT, "L6TOUT": check.L6TOUT, "L4TOUT": check.L4TOUT},
}

func (r *ruleReader) status(word string) check.Status {
	r.value(word)
	if r.failed {
		return check.UNK
	}
	s, ok := statusWords[word][r.args[r.at2-1].Text]
	if !ok {
		r.unknown(word, sorted(keys(statusWords[word]))...)
	}
	return s
}

func keys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}

func readExpect(r *ruleReader) {
	x := &script.Expect{MinRecv: -1}
	r.step = script.Step{Action: script.ActExpect, Expect: x}
	matched := false
	for w, ok := r.next(); ok && !r.failed; w, ok = r.next() {
		switch w {
		case "min-recv":
			n, err := config.Int(r.value(w), -1, maxCount)
			if err != nil {
				r.fault("%v", err)
			}
			x.MinRecv = n
		case "comment":
			r.step.Comment = r.value(w)
		case "ok-status":
			x.OK = r.status(w)
		case "error-status":
			x.Fail = r.status(w)
		case "tout-status":
			x.Timeout = r.status(w)
		case "on-success":
			x.OnSuccess = r.format(w)
		case "on-error":
			x.OnError = r.format(w)
		case "status-code":
			x.Code = r.expression(w)
		default:
			if matched {
				r.fault("%q follows the match; one rule has one", w)
				return
			}
			r.readMatch(x, w)
			matched = true
		}
	}
	if !matched {
		r.fault("expected what to look for: string, rstring, status, ...")
	}
}

// readMatch reads the match an expect rule ends with; exclamation marks may
// stand alone or before it.
func (r *ruleReader) readMatch(x *script.Expect, w string) {
	for strings.HasPrefix(w, "!") {
		x.Not = !x.Not
		if w = w[1:]; w == "" {
			w, _ = r.next()
		}
	}
	switch {
	case w == "string":
		x.Match, x.Pattern = script.String, []byte(r.value(w))
	case w == "string-lf":
		x.Match, x.Text = script.StringText, r.format(w)
	case w == "rstring":
		x.Match, x.Regex = script.Regex, r.regex(w)
	case !r.http && w == "binary":
		x.Match, x.Pattern = script.Binary, r.hex(w)
	case !r.http && w == "binary-lf":
		x.Match, x.Text = script.BinaryText, r.format(w)
	case !r.http && w == "rbinary":
		x.Match, x.Regex = script.BinaryRegex, r.regex(w)
	case r.http && w == "status":
		x.Match, x.Status = script.StatusList, r.statusList()
	case r.http && w == "rstatus":
		x.Match, x.Regex = script.StatusRegex, r.regex(w)
	case r.http && (w == "hdr" || w == "fhdr"):
		x.Match = script.Header
		if w == "fhdr" {
			x.Match = script.FullHeader
		}
		r.readHeader(x)
	case r.http:
		r.unknown("match", "status", "rstatus", "string", "string-lf", "rstring", "hdr", "fhdr")
	default:
		r.unknown("match", "string", "string-lf", "rstring", "binary", "binary-lf", "rbinary")
	}
}

func (r *ruleReader) statusList() []script.Range {
	var list []script.Range
	for part := range strings.SplitSeq(r.value("status"), ",") {
		low, high, isRange := strings.Cut(part, "-")
		a, err := strconv.Atoi(low)
		b := a
		if isRange && err == nil {
			b, err = strconv.Atoi(high)
		}
		if err != nil || a < 0 || b < a {
			r.fault("%q is not a status or a range of them", part)
			return nil
		}
		list = append(list, script.Range{Low: a, High: b})
	}
	return list
}

// readHeader reads "name [-m METHOD] NAME [value [-m METHOD] VALUE]".
func (r *ruleReader) readHeader(x *script.Expect) {
	switch w, _ := r.next(); w {
	case "name", "name-lf":
		x.Name = r.pattern(w, w == "name-lf")
		if x.Name.Regex != nil { // names have no case
			x.Name.Regex = regexp.MustCompile("(?i:" + x.Name.Regex.String() + ")")
		}
	default:
		r.fault("expected name or name-lf after hdr")
		return
	}
	if w := r.arg(r.at2); !r.failed && (w == "value" || w == "value-lf") {
		r.next()
		p := r.pattern(w, w == "value-lf")
		x.Value = &p
	}
}

func (r *ruleReader) pattern(word string, format bool) script.Pattern {
	p := script.Pattern{Method: "str"}
	if r.arg(r.at2) == "-m" {
		r.next()
		p.Method = r.value("-m")
		if !r.failed && !isMethod(p.Method) {
			r.unknown("matching method", script.Methods...)
			return p
		}
	}
	switch {
	case p.Method == "reg" && format:
		r.fault("%q does not go with -m reg", word)
	case p.Method == "reg":
		p.Regex = r.regex(word)
	case format:
		p.Text = r.format(word)
	default:
		p.Text = script.Literal(r.value(word))
	}
	return p
}

func isMethod(name string) bool {
	for _, m := range script.Methods {
		if m == name {
			return true
		}
	}
	return false
}
