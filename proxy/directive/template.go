package directive

import (
	"strconv"
	"strings"

	"herald/config"
	"herald/proxy/settings"
)

var templateRows = []config.Row[keyword]{
	{Name: "dispatch", Syntax: "ADDRESS:PORT", Example: "dispatch 10.1.1.20:80",
		Doc: "Sends all requests to this address, in a backend without \"balance\".",
		Do:  keyword{in: inBackend, min: 1, max: 1, strict: true, read: readDispatch}},
	{Name: "server-template", Syntax: "PREFIX NUMBER|FIRST-LAST ADDRESS[:PORT] [OPTION ...]", Example: "server-template web 1-3 app.example:80 check init-addr none",
		Doc: "Adds so many servers of one address and one set of options, named by the prefix and a number.",
		Do:  keyword{in: inBackend, min: 3, max: many, strict: true, read: readTemplate}},
}

func readDispatch(c *call) {
	s := settings.Server{Pos: c.line.Pos, Name: "<NOSRV>", Weight: 1}
	word := c.args[0]
	c.args = append(c.args[:0:0], word, word) // the address stands where a server's does
	if !c.serverAddress(&s) {
		return
	}
	if s.Path == "" && s.Port == 0 {
		c.reject(0, "%q lacks a port", word.Text)
		return
	}
	c.px.p.Dispatch = &s
}

// maxTemplate bounds a template's servers: a slip in a range must not take all
// memory.
const maxTemplate = 100000

func readTemplate(c *call) {
	s := c.px.server
	s.Pos = c.line.Pos
	prefix, text := c.arg(0), c.arg(1)
	if i := strings.IndexFunc(prefix, illegalInName); i >= 0 {
		c.reject(0, "character %q is not permitted in server name %q", prefix[i:i+1], prefix)
		return
	}
	first, last, ok := templateRange(text)
	if !ok {
		c.reject(1, "%q is not a number or a range of numbers, FIRST-LAST", text)
		return
	}
	if last-first >= maxTemplate {
		c.reject(1, "%q is more than %d servers", text, maxTemplate)
		return
	}
	c.args = c.args[1:] // from the address on as on a server line
	if !c.serverAddress(&s) {
		return
	}
	c.serverOptions(&s, 2, false)
	for n := first; n <= last; n++ {
		s.Name = prefix + strconv.Itoa(n)
		c.px.p.Servers = append(c.px.p.Servers, s)
		s.ID, s.ForcedID = 0, false // an id is the first one's
	}
}

// templateRange reads "3", which is 1 to 3, or "5-8".
func templateRange(text string) (first, last int, ok bool) {
	low, high, is := strings.Cut(text, "-")
	if !is {
		low, high = "1", text
	}
	first, err := strconv.Atoi(low)
	if err != nil || first < 0 {
		return 0, 0, false
	}
	last, err = strconv.Atoi(high)
	return first, last, err == nil && last >= first && last > 0
}
