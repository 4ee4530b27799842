package directive

import (
	"slices"
	"strings"

	"herald/config"
	"herald/proxy/settings"
)

var captureRows = []config.Row[keyword]{
	{Name: "capture", Syntax: "request|response header NAME len N | cookie NAME len N", Example: "capture request header User-Agent len 64",
		Doc: "Logs a header, or the first cookie whose name begins so, cut to a number of bytes.",
		Do:  keyword{in: inFrontend, min: 4, max: 5, read: readCapture}},
	{Name: "errorloc", Syntax: "STATUS URL", Example: "errorloc 503 http://www.example/sorry",
		Doc: "Redirects (302) to a URL instead of answering with an error page.",
		Do:  keyword{in: anyProxy, min: 2, max: 2, read: func(c *call) { c.errorLocation("302 Found") }}},
	{Name: "errorloc302", Syntax: "STATUS URL", Example: "errorloc302 503 http://www.example/sorry",
		Doc: "The same as errorloc.",
		Do:  keyword{in: anyProxy, min: 2, max: 2, read: func(c *call) { c.errorLocation("302 Found") }}},
	{Name: "errorloc303", Syntax: "STATUS URL", Example: "errorloc303 503 http://www.example/sorry",
		Doc: "Redirects (303, which makes a GET of any method) to a URL instead of answering with an error page.",
		Do:  keyword{in: anyProxy, min: 2, max: 2, read: func(c *call) { c.errorLocation("303 See Other") }}},
	{Name: "option transparent", Example: "option transparent",
		Doc: "In a backend without \"balance\", connects to where the client connected to.",
		Do:  keyword{in: backSide, negate: true, read: readTransparent}},
	{Name: "transparent", Example: "transparent",
		Doc: "The same as option transparent.",
		Do:  keyword{in: backSide, negate: true, read: readTransparent}},
}

func readCapture(c *call) {
	to := &c.px.p.Captures
	kind, rest := c.arg(0), 1
	if kind == "request" || kind == "response" {
		if c.arg(1) != "header" {
			c.unknownValue(1, "keyword", []string{"header"})
			return
		}
		rest = 2
	} else if kind != "cookie" {
		c.unknownValue(0, "keyword", []string{"cookie", "request", "response"})
		return
	}
	if c.arg(rest+1) != "len" || rest+3 != len(c.args) {
		c.reject(rest, "expects NAME len N")
		return
	}
	n, ok := c.number(rest+2, 1, 65535)
	if !ok {
		return
	}
	one := settings.Capture{Name: c.arg(rest), Len: n}
	switch kind {
	case "cookie":
		to.Cookie = one
	case "request":
		one.Name = strings.ToLower(one.Name)
		to.Request = append(slices.Clip(to.Request), one)
	default:
		one.Name = strings.ToLower(one.Name)
		to.Response = append(slices.Clip(to.Response), one)
	}
}

// errorLocation makes the page of a status a redirection.
func (c *call) errorLocation(line string) {
	status, err := config.Int(c.arg(0), 0, 999)
	switch url := c.arg(1); {
	case err != nil || !slices.Contains(errorStatuses, status):
		c.reject(0, "status code %q is not one of %v", c.arg(0), errorStatuses)
	case strings.ContainsFunc(url, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		c.reject(1, "%q is not a URL", url)
	default:
		c.px.p.ErrorFiles[status] = settings.ErrorFile{Path: url,
			Bytes: []byte("HTTP/1.1 " + line + "\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: " + url + "\r\n\r\n")}
	}
}

func readTransparent(c *call) { c.px.transparent = !c.line.Negated && !c.line.Defaulted }

// finishTransparent makes a dispatch address of where the client connected to.
func (b *builder) finishTransparent(d *draft) {
	p := &d.p
	if !d.transparent || !p.Backend || p.Dispatch != nil || d.balanced {
		return
	}
	s := d.server
	s.Pos, s.Name, s.Transparent = p.Pos, "transparent", true
	p.Dispatch = &s
}
