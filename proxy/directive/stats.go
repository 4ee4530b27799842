package directive

import (
	"slices"
	"strings"
	"time"

	"herald/config"
	"herald/proxy/settings"
)

// stats makes the row of one statistics page keyword. Any of them turns the
// page on.
func stats(name, syntax, doc, example string, in scope, most int, read func(c *call, s *settings.Stats)) config.Row[keyword] {
	least := 0
	if syntax != "" && !strings.HasPrefix(syntax, "[") {
		least = 1
	}
	return config.Row[keyword]{Name: "stats " + name, Syntax: syntax, Doc: doc, Example: strings.TrimSpace("stats " + name + " " + example),
		Do: keyword{in: in, min: least, max: many, read: func(c *call) {
			if len(c.args) > most {
				c.warn(most, "%q is ignored (blanks need quotes or a backslash)", c.arg(most))
			}
			read(c, c.page())
		}}}
}

// page returns the section's own statistics settings. The first stats
// keyword of a proxy drops all that its defaults had.
func (c *call) page() *settings.Stats {
	if !c.px.ownStats || c.px.p.Stats == nil {
		c.px.ownStats = true
		c.px.p.Stats = &settings.Stats{Pos: c.line.Pos, URI: "/haproxy?stats", Realm: "HAProxy Statistics"}
	}
	return c.px.p.Stats
}

var statsRows = []config.Row[keyword]{
	stats("admin", "if TRUE", "Lets visitors of the page change servers.", "if TRUE", inProxy, 2, readStatsAdmin),
	stats("auth", "USER:PASSWORD", "Asks for a password; may be repeated.", "admin:secret", anyProxy, 1, readStatsAuth),
	stats("enable", "", "Serves the statistics page with default settings.", "", anyProxy, 0, func(*call, *settings.Stats) {}),
	stats("hide-version", "", "Leaves the version out of the page.", "", anyProxy, 0,
		func(_ *call, s *settings.Stats) { s.HideVersion = true }),
	stats("realm", "REALM", "Realm of the password dialogue.", `HAProxy\ Statistics`, anyProxy, 1,
		func(c *call, s *settings.Stats) { s.Realm = c.arg(0) }),
	stats("refresh", "TIME", "Makes browsers load the page again; seconds when without a unit.", "10s", anyProxy, 1,
		func(c *call, s *settings.Stats) {
			if d, ok := c.duration(0, time.Second); ok {
				s.Refresh = d
			}
		}),
	stats("scope", "PROXY | .", "Shows only the named proxies; may be repeated. \".\" is the proxy itself.", ".", anyProxy, 1,
		func(c *call, s *settings.Stats) { s.Scope = append(s.Scope, c.arg(0)) }),
	stats("show-desc", "[TEXT]", "Shows a description, the global one by default.", "Cloud 1", anyProxy, many,
		func(c *call, s *settings.Stats) { s.ShowDesc, s.Desc = true, strings.Join(c.texts(0), " ") }),
	stats("show-legends", "", "Shows more in the tooltips.", "", anyProxy, 0,
		func(_ *call, s *settings.Stats) { s.ShowLegends = true }),
	stats("show-node", "[NAME]", "Shows the node's name.", "", anyProxy, 1,
		func(c *call, s *settings.Stats) { s.ShowNode, s.Node = true, c.arg(0) }),
	stats("uri", "PREFIX", "Address of the page on its proxy.", "/stats", anyProxy, 1,
		func(c *call, s *settings.Stats) { s.URI = c.arg(0) }),
}

// readStatsAdmin: conditions are not built yet but for the constant ones.
func readStatsAdmin(c *call, s *settings.Stats) {
	when, what := c.arg(0), c.arg(1)
	switch {
	case when != "if" && when != "unless" || what == "":
		c.reject(0, "requires \"if\" or \"unless\" and a condition")
	case when == "if" && what == "TRUE", when == "unless" && what == "FALSE":
		s.Admin = true
	case when == "if" && what == "FALSE", when == "unless" && what == "TRUE":
		s.Admin = false
	default:
		c.diags.Unsupported(c.args[1].Pos, config.Error, "condition", strings.Join(c.texts(0), " "), "HAProxy")
	}
}

func readStatsAuth(c *call, s *settings.Stats) {
	name, password, ok := strings.Cut(c.arg(0), ":")
	if !ok || name == "" {
		// The word is not repeated: it may hold a password.
		c.diags.Errorf(c.args[0].Pos, "", "stats auth: expects USER:PASSWORD")
		return
	}
	s.Users = append(slices.Clone(s.Users), settings.StatsUser{Name: name, Password: password})
}
