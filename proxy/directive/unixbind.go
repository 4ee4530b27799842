package directive

import (
	"slices"

	"herald/config"
	"herald/config/line"
	"herald/proxy/settings"
)

// unixDefaults are what unix-bind says of the unix sockets of bind lines.
type unixDefaults struct {
	prefix string
	bind   settings.Bind // its mode, owner and group
}

var unixBindRows = []config.Row[keyword]{
	{Name: "unix-bind", Syntax: "[prefix PREFIX] [mode OCTAL] [user NAME] [uid UID] [group NAME] [gid GID]", Example: "unix-bind mode 660 group www-data",
		Doc: "What holds for the unix sockets of bind lines that say nothing of it; the prefix stands before all their paths.",
		Do:  keyword{in: inGlobal, max: many, read: readUnixBind}},
}

func readUnixBind(c *call) {
	known := []string{"gid", "group", "mode", "prefix", "uid", "user"}
	for i := 0; i < len(c.args); i += 2 {
		w := c.arg(i)
		switch {
		case !slices.Contains(known, w):
			c.unknownValue(i, "option", known)
			return
		case i+1 == len(c.args):
			c.reject(i, "%q expects a value", w)
			return
		case w == "prefix":
			c.unix.prefix = c.arg(i + 1)
			continue
		}
		row, _ := bindOptions.Lookup(w)
		if c.unix.bind.Mode == 0 && c.unix.bind.Network == "" {
			c.unix.bind = settings.Bind{Network: "unix", UID: -1, GID: -1}
		}
		if err := row.Do.read(c, &c.unix.bind, nil, line.Word{Text: c.arg(i + 1)}); err != nil {
			c.reject(i+1, "%s: %v", w, err)
		}
	}
}

// finishUnix gives the unix sockets of a section what their lines leave open.
func (b *builder) finishUnix(p *settings.Proxy) {
	d := &b.unix.bind
	for i := range p.Binds {
		to := &p.Binds[i]
		if to.Network != "unix" {
			continue
		}
		to.Path = b.unix.prefix + to.Path
		if d.Network == "" {
			continue
		}
		if to.Mode == 0 {
			to.Mode = d.Mode
		}
		if to.UID < 0 {
			to.UID = d.UID
		}
		if to.GID < 0 {
			to.GID = d.GID
		}
	}
}
