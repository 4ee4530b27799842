package directive

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"herald/config"
	"herald/proxy/expr"
	"herald/proxy/logline"
	"herald/proxy/settings"
)

// logLine is one log keyword; "log global" is replaced once everything is
// read.
type logLine struct {
	global bool
	target settings.LogTarget
}

var (
	facilities = []string{"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "auth2", "ftp",
		"ntp", "audit", "alert", "cron2", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}
	levels     = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}
	logFormats = []string{"local", "rfc3164", "rfc5424", "priority", "short", "timed", "iso", "raw"}
)

const logSyntax = "ADDRESS [len N] [format FORMAT] FACILITY [MAX-LEVEL [MIN-LEVEL]]"

var globalLogRows = []config.Row[keyword]{
	{Name: "log", Syntax: logSyntax, Example: "log /dev/log local0 notice",
		Doc: "Sends log lines to a syslog server, a unix datagram socket, stdout or stderr.",
		Do: keyword{in: inGlobal, min: 2, max: many, read: func(c *call) {
			if c.arg(0) == "global" {
				c.reject(0, "\"global\" cannot stand in the global section")
				return
			}
			if t, ok := c.logTarget(); ok {
				c.cfg.Global.Logs = append(c.cfg.Global.Logs, t)
			}
		}}},
	{Name: "log-send-hostname", Syntax: "[NAME]", Example: "log-send-hostname",
		Doc: "Puts a host name, this machine's by default, into log lines.",
		Do: keyword{in: inGlobal, max: 1, read: func(c *call) {
			c.cfg.Global.LogSendHostname = c.opt.Hostname
			if c.arg(0) != "" {
				c.cfg.Global.LogSendHostname = c.arg(0)
			}
		}}},
	{Name: "log-tag", Syntax: "TAG", Example: "log-tag herald",
		Doc: "Program name in log lines.",
		Do:  keyword{in: inGlobal, min: 1, max: many, read: func(c *call) { c.onlyOne(); c.cfg.Global.LogTag = c.arg(0) }}},
}

var logRows = []config.Row[keyword]{
	{Name: "log", Syntax: "global | " + logSyntax, Example: "log global",
		Doc: "Adds log targets to a proxy: those of the global section, or one of its own. \"no log\" drops all.",
		Do:  keyword{in: anyProxy, min: 1, max: many, negate: true, read: readLog}},
	{Name: "log-format", Syntax: "FORMAT", Example: `log-format "%ci:%cp [%tr] %ft %b/%s %ST %B"`,
		Doc: "Writes traffic log lines in a format of one's own.",
		Do:  keyword{in: frontSide, min: 1, max: 1, read: readLogFormat}},
	{Name: "log-tag", Syntax: "TAG", Example: "log-tag web",
		Doc: "Program name in this proxy's log lines.",
		Do:  keyword{in: anyProxy, min: 1, max: many, read: func(c *call) { c.onlyOne(); c.px.p.LogTag = c.arg(0) }}},
	{Name: "unique-id-format", Syntax: "FORMAT", Example: `unique-id-format "%{+X}o%ci:%cp_%fi:%fp_%Ts_%rt:%pid"`,
		Doc: "What tells a connection or request from every other: %ID in the log, the fetch unique-id, the field of a PROXY header and unique-id-header. 127 bytes at most; expressions in %[...] see the request.",
		Do:  keyword{in: frontSide, min: 1, max: 1, read: readUniqueID}},
	{Name: "unique-id-header", Syntax: "NAME", Example: "unique-id-header X-Unique-ID",
		Doc: "Header field that tells the server what unique-id-format makes.",
		Do: keyword{in: frontSide, min: 1, max: many, read: func(c *call) {
			c.onlyOne()
			c.px.p.UniqueID.Header = c.arg(0)
		}}},
}

// readLogFormat refuses what HAProxy refuses. A format with expressions that
// are right and not acted on costs the log line, not the service: the line
// keeps the form it had.
func readLogFormat(c *call) {
	_, err := logline.Compile(c.arg(0))
	switch {
	case errors.Is(err, logline.ErrExpression):
		if wrong := c.wrongFormat(c.arg(0)); wrong != nil {
			c.reject(0, "%v", wrong)
			return
		}
		c.warn(0, "%v; the format is ignored", err)
		return
	case err != nil:
		c.reject(0, "%v", err)
		return
	}
	c.px.p.LogFormat, c.px.p.LogFormatText = settings.LogCustom, c.arg(0)
}

// wrongFormat tells what is wrong in a format with expressions, besides those
// that are known and not supported.
func (c *call) wrongFormat(text string) error {
	_, err := logline.CompileWith(text, func(text string) (int, error) {
		n, err := bracketed(text)
		if err != nil {
			return 0, err
		}
		var unknown expr.Unknown
		if _, err := c.loader().Parse(text[1 : n-1]); errors.As(err, &unknown) {
			return n, err
		}
		return n, nil
	})
	return err
}

// refuseHTTPOnly refuses a format of a frontend in mode tcp with a variable that
// only requests have.
func (b *builder) refuseHTTPOnly(pos config.Pos, row, text string) {
	f, err := logline.CompileWith(text, bracketed)
	if err != nil {
		return
	}
	if name := f.HTTPOnly(); name != "" {
		b.cross(pos, config.Error, name, "%s: %s needs \"mode http\"", row, name)
	}
}

// bracketed is the length of the expression that text begins with.
func bracketed(text string) (int, error) {
	n := expr.Bracketed(text)
	if n == 0 {
		return 0, fmt.Errorf("%q: expected \"]\" at the end of the expression", "%"+text)
	}
	return n, nil
}

func readUniqueID(c *call) {
	id := settings.UniqueID{Format: c.arg(0), Header: c.px.p.UniqueID.Header}
	_, err := logline.CompileWith(id.Format, func(text string) (int, error) {
		n, err := bracketed(text)
		if err != nil {
			return 0, err
		}
		f, err := c.expression(text[1:n-1], atContent|expr.Inside)
		id.Values = append(id.Values, f)
		return n, err
	})
	if err != nil {
		c.reject(0, "%v", err)
		return
	}
	c.px.p.UniqueID = id
}

// onlyOne warns about arguments after the first, which HAProxy ignores
// silently: an unescaped blank is the usual reason.
func (c *call) onlyOne() {
	if len(c.args) > 1 {
		c.warn(1, "%q is ignored, only one argument is used (blanks need quotes or a backslash)", c.arg(1))
	}
}

func readLog(c *call) {
	if c.line.Negated {
		if len(c.args) > 0 {
			c.reject(0, "\"no log\" does not take arguments")
			return
		}
		c.px.logs = nil
		return
	}
	if c.line.Defaulted {
		c.reject(0, "\"default\" does not go with \"log\"")
		return
	}
	if c.arg(0) == "global" {
		if len(c.args) > 1 {
			c.reject(1, "unexpected argument %q after \"global\"", c.arg(1))
			return
		}
		c.px.logs = append(c.px.logs, logLine{global: true})
		return
	}
	if t, ok := c.logTarget(); ok {
		c.px.logs = append(c.px.logs, logLine{target: t})
	}
}

// logTarget reads all arguments of a log line.
func (c *call) logTarget() (settings.LogTarget, bool) {
	t := settings.LogTarget{Format: "local", MaxLen: 1024, MaxLevel: len(levels) - 1}
	if !c.logAddress(&t) {
		return t, false
	}
	i, ok := c.logOptions(&t)
	if !ok {
		return t, false
	}
	if i >= len(c.args) {
		c.reject(len(c.args), "expects %s", logSyntax)
		return t, false
	}
	if t.Facility = slices.Index(facilities, c.arg(i)); t.Facility < 0 {
		c.unknownValue(i, "log facility", facilities)
		return t, false
	}
	for n, to := range []*int{&t.MaxLevel, &t.MinLevel} {
		if i+1+n >= len(c.args) {
			break
		}
		if *to = slices.Index(levels, c.arg(i+1+n)); *to < 0 {
			c.unknownValue(i+1+n, "log level", levels)
			return t, false
		}
	}
	if i+3 < len(c.args) {
		c.reject(i+3, "cannot handle unexpected argument %q", c.arg(i+3))
		return t, false
	}
	return t, true
}

// logOptions reads "len", "format" and "sample" and returns where the
// facility stands.
func (c *call) logOptions(t *settings.LogTarget) (int, bool) {
	for i := 1; ; i += 2 {
		switch c.arg(i) {
		case "len":
			n, ok := c.number(i+1, 80, 65535)
			if !ok {
				return 0, false
			}
			t.MaxLen = n
		case "format":
			if !slices.Contains(logFormats, c.arg(i+1)) {
				c.unknownValue(i+1, "log format", logFormats)
				return 0, false
			}
			t.Format = c.arg(i + 1)
		case "sample":
			c.diags.Unsupported(c.args[i].Pos, config.Warning, "log option", "sample", "HAProxy")
		default:
			return i, true
		}
	}
}

// unknownValue reports argument i as none of the values it may have.
func (c *call) unknownValue(i int, what string, known []string) {
	if i >= len(c.args) {
		c.reject(i, "missing %s, one of %s", what, strings.Join(known, ", "))
		return
	}
	msg := fmt.Sprintf("%s: unknown %s %q, expected one of %s", c.name, what, c.arg(i), strings.Join(known, ", "))
	d := config.Diagnostic{Pos: c.args[i].Pos, Severity: config.Error, Word: c.arg(i), Message: msg}
	if near := config.Nearest(c.arg(i), known); near != "" {
		d.Fix = fmt.Sprintf("did you mean %q?", near)
	}
	c.diags.Add(d)
}

// logAddress reads argument 0: a path, an address with an optional UDP port,
// stdout, stderr, or what HAProxy has beyond that.
func (c *call) logAddress(t *settings.LogTarget) bool {
	text := c.arg(0)
	switch text {
	case "stdout", "fd@1":
		t.Network, t.Address = "fd", "stdout"
		return true
	case "stderr", "fd@2":
		t.Network, t.Address = "fd", "stderr"
		return true
	}
	if prefix, rest, ok := strings.Cut(text, "@"); ok && !strings.ContainsAny(prefix, "/:[") {
		switch prefix {
		case "udp", "udp4", "udp6", "ipv4", "ipv6":
			text = rest
		case "unix":
			text = rest
		default:
			c.diags.Unsupported(c.args[0].Pos, config.Warning, "log target", prefix+"@", "HAProxy")
			return false
		}
	}
	if strings.HasPrefix(text, "/") {
		t.Network, t.Address = "unixgram", text
		return true
	}
	return c.logHost(t, text)
}

func (c *call) logHost(t *settings.LogTarget, text string) bool {
	host, port, err := splitPort(text)
	var a address
	if err == nil {
		err = a.setPort(port)
	}
	if ip, bad := netip.ParseAddr(host); err == nil && bad == nil && ip.Is6() {
		host = "[" + host + "]"
	}
	switch {
	case err != nil:
		c.reject(0, "%v", err)
		return false
	case host == "" || strings.Contains(host, ":") && host[0] != '[':
		c.reject(0, "invalid address %q", text)
		return false
	}
	if !a.hasPort {
		a.port = 514
	}
	t.Network, t.Address = "udp", fmt.Sprintf("%s:%d", host, a.port)
	return true
}
