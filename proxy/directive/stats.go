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

const defaultRealm = "HAProxy Statistics"

// page returns the section's own statistics settings. The first stats
// keyword of a proxy drops all that its defaults had.
func (c *call) page() *settings.Stats {
	if !c.px.ownStats || c.px.p.Stats == nil {
		c.px.ownStats = true
		c.px.p.Stats = &settings.Stats{Pos: c.line.Pos, URI: "/haproxy?stats", Realm: defaultRealm}
	}
	return c.px.p.Stats
}

var statsRows = []config.Row[keyword]{
	stats("admin", "if|unless CONDITION", "Lets visitors of the page change servers; may be repeated.", "if { src 10.0.0.0/8 }", inProxy, many, readStatsAdmin),
	stats("auth", "USER:PASSWORD", "Asks for a password; may be repeated.", "admin:secret", anyProxy, 1, readStatsAuth),
	stats("enable", "", "Serves the statistics page with default settings.", "", anyProxy, 0, func(*call, *settings.Stats) {}),
	stats("hide-version", "", "Leaves the version out of the page.", "", anyProxy, 0,
		func(_ *call, s *settings.Stats) { s.HideVersion = true }),
	stats("http-request", "allow|deny|auth [realm REALM] [if|unless CONDITION]", "Who may see the page; the first that applies decides, and \"auth\" asks for a password.",
		"deny if !{ src 10.0.0.0/8 }", inProxy, many, readStatsAccess),
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

func readStatsAdmin(c *call, s *settings.Stats) {
	if len(c.args) < 2 {
		c.reject(0, "requires \"if\" or \"unless\" and a condition")
		return
	}
	if cond, ok := c.condition(0); ok {
		s.Admin = append(slices.Clip(s.Admin), cond)
	}
}

func readStatsAccess(c *call, s *settings.Stats) {
	actions := map[string]settings.StatsAction{"allow": settings.StatsAllow, "deny": settings.StatsDeny, "auth": settings.StatsAuth}
	r := settings.StatsRule{}
	var known bool
	if r.Action, known = actions[c.arg(0)]; !known {
		c.unknownValue(0, "action", []string{"allow", "auth", "deny"})
		return
	}
	i := 1
	if r.Action == settings.StatsAuth && c.arg(1) == "realm" {
		if r.Realm = c.arg(2); r.Realm == "" {
			c.reject(1, "\"realm\" expects a text")
			return
		}
		i = 3
	}
	var ok bool
	if r.If, ok = c.condition(i); ok {
		s.Access = append(slices.Clip(s.Access), r)
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
