package directive

import (
	"slices"
	"time"

	"herald/config"
	"herald/proxy/settings"
)

var externalRows = []config.Row[keyword]{
	{Name: "option external-check", Example: "option external-check",
		Doc: "Checks servers by a command; its exit code decides.",
		Do:  keyword{in: backSide, read: func(c *call) { c.px.check.kind, c.px.check.protocol = "external-check", nil }}},
	{Name: "external-check command", Syntax: "PATH", Example: "external-check command /usr/local/bin/ping-check",
		Doc: "The command of option external-check; it gets the proxy's and the server's address and port.",
		Do: keyword{in: backSide, min: 1, max: 1, read: func(c *call) {
			c.px.check.external.Command = c.arg(0)
		}}},
	{Name: "external-check", Syntax: "command PATH | path PATH", Example: "external-check path /usr/bin:/bin",
		Doc: "The command of option external-check and its environment.",
		Do: keyword{in: backSide, min: 1, max: many, read: func(c *call) {
			c.diags.Unknown(c.args[0].Pos, config.Error, "external-check", c.arg(0), []string{"command", "path"})
		}}},
	{Name: "external-check path", Syntax: "PATH", Example: "external-check path /usr/bin:/bin",
		Doc: "PATH in the environment of the command.",
		Do:  keyword{in: backSide, min: 1, max: 1, read: func(c *call) { c.px.check.external.Path = c.arg(0) }}},
}

var externalGlobalRows = []config.Row[keyword]{
	{Name: "external-check", Example: "external-check",
		Doc: "Allows option external-check; the parent process runs the commands, as the proxy's user.",
		Do:  keyword{in: inGlobal, read: func(c *call) { c.cfg.Global.ExternalCheck = true }}},
	{Name: "max-spread-checks", Syntax: "TIME", Example: "max-spread-checks 500ms",
		Doc: "Longest time the first health checks are spread over; the time between checks when unset.",
		Do: keyword{in: inGlobal, min: 1, max: 1, read: func(c *call) {
			if d, ok := c.duration(0, time.Millisecond); ok {
				c.cfg.Global.MaxSpreadChecks = d
			}
		}}},
	{Name: "insecure-fork-wanted", Example: "insecure-fork-wanted",
		Doc: "Accepted and not needed: the parent process runs the commands of external checks.",
		Do:  keyword{in: inGlobal, read: func(*call) {}}},
}

// finishExternal looks at what option external-check needs.
func (b *builder) finishExternal(d *draft) {
	e := d.check.external
	if !slices.ContainsFunc(d.p.Servers, func(s settings.Server) bool { return s.Check }) {
		return
	}
	if e.Command == "" {
		b.cross(d.p.Pos, config.Error, "external-check", "%s %q has option external-check without \"external-check command\"", d.kind, d.p.Name)
	}
	if !b.cfg.Global.ExternalCheck {
		b.cross(d.p.Pos, config.Error, "external-check", "%s %q has option external-check, which needs \"external-check\" in the global section", d.kind, d.p.Name)
	}
	d.p.Check.External = &settings.ExternalCheck{Command: e.Command, Path: e.Path}
}
