package directive

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"herald/config"
	"herald/config/line"
	"herald/proxy/settings"
)

// serverLoadRows are the words of a server line about its share of the load.
var serverLoadRows = []config.Row[serverOption]{
	{Name: "minconn", Syntax: "N", Example: "server a 10.1.1.20:80 minconn 10 maxconn 100",
		Doc: "Limit of connections while the backend is idle; it rises to maxconn as the backend fills up to fullconn.",
		Do:  count(func(s *settings.Server) *int { return &s.MinConn }, 0, maxCount)},
	{Name: "slowstart", Syntax: "TIME", Example: "server a 10.1.1.20:80 check slowstart 30s",
		Doc: "A server that comes up gets its weight and maxconn step by step over this time.",
		Do:  interval(func(s *settings.Server) *time.Duration { return &s.SlowStart })},
	{Name: "on-marked-up", Syntax: "shutdown-backup-sessions", Example: "server a 10.1.1.20:80 check on-marked-up shutdown-backup-sessions",
		Doc: "Ends the connections of backup servers when this one comes up.",
		Do: word(1, func(s *settings.Server, v line.Word) error {
			if v.Text != "shutdown-backup-sessions" && v.Text != "none" {
				return fmt.Errorf("%q is not shutdown-backup-sessions or none", v.Text)
			}
			s.ShutdownBackupsOnUp = v.Text != "none"
			return nil
		})},
	{Name: "track", Syntax: "[BACKEND/]SERVER", Example: "default-server track other/b",
		Doc: "Follows the health and the maintenance of another server instead of a check of its own.",
		Do: word(1, func(s *settings.Server, v line.Word) error {
			backend, server, ok := strings.Cut(v.Text, "/")
			if !ok {
				backend, server = "", backend
			}
			if server == "" {
				return fmt.Errorf("%q names no server", v.Text)
			}
			s.Track = settings.Track{Backend: backend, Server: server}
			return nil
		})},
	{Name: "observe", Syntax: "none | layer4 | layer7", Example: "server a 10.1.1.20:80 check observe layer4",
		Doc: "Takes the errors of traffic for signs of the server's health: of connections, or of responses.",
		Do: choice(func(s *settings.Server) *settings.Observe { return &s.Observe }, map[string]settings.Observe{
			"none": settings.ObserveNothing, "layer4": settings.ObserveLayer4, "layer7": settings.ObserveLayer7})},
	{Name: "error-limit", Syntax: "N", Example: "server a 10.1.1.20:80 check observe layer4 error-limit 5",
		Doc: "Errors in a row that on-error acts on; 10 when unset.",
		Do:  count(func(s *settings.Server) *int { return &s.ErrorLimit }, 1, maxCount)},
	{Name: "on-error", Syntax: "fastinter | fail-check | sudden-death | mark-down", Example: "server a 10.1.1.20:80 check observe layer4 on-error mark-down",
		Doc: "What so many errors in a row do: the next check sooner, a failed check, one that leaves one more, or down at once.",
		Do: choice(func(s *settings.Server) *settings.OnError { return &s.OnError }, map[string]settings.OnError{"fastinter": settings.OnErrorFastInter,
			"fail-check": settings.OnErrorFailCheck, "sudden-death": settings.OnErrorSuddenDeath, "mark-down": settings.OnErrorMarkDown})},
}

// choice makes an option whose value is one of these words.
func choice[T any](field func(s *settings.Server) *T, words map[string]T) serverOption {
	return word(1, func(s *settings.Server, v line.Word) error {
		value, ok := words[v.Text]
		if !ok {
			names := slices.Sorted(maps.Keys(words))
			if near := config.Nearest(v.Text, names); near != "" {
				return fmt.Errorf("%q is not known: did you mean %q?", v.Text, near)
			}
			return fmt.Errorf("%q is not %s", v.Text, strings.Join(names, ", "))
		}
		*field(s) = value
		return nil
	})
}

// checkTracks resolves what servers track, and reports those that cannot.
func (b *builder) checkTracks() {
	servers := map[settings.Track]*settings.Server{}
	backends := map[string]bool{}
	for _, d := range b.proxies {
		if d.p.Backend {
			backends[d.p.Name] = true
		}
		for i := range d.p.Servers {
			servers[settings.Track{Backend: d.p.Name, Server: d.p.Servers[i].Name}] = &d.p.Servers[i]
		}
	}
	for _, d := range b.proxies {
		for i := range d.p.Servers {
			s := &d.p.Servers[i]
			if s.Track.Server == "" {
				continue
			}
			if s.Track.Backend == "" {
				s.Track.Backend = d.p.Name
			}
			if s.Check {
				b.cross(s.Pos, config.Error, "track", "server %q cannot have checks and track another server at the same time", s.Name)
			}
		}
	}
	for _, d := range b.proxies {
		for i := range d.p.Servers {
			b.checkTrack(&d.p.Servers[i], servers, backends)
		}
	}
}

// checkTrack goes from a server to the one at the end of what it tracks.
func (b *builder) checkTrack(s *settings.Server, servers map[settings.Track]*settings.Server, backends map[string]bool) {
	for at, steps := s, 0; at.Track.Server != ""; steps++ {
		next, ok := servers[at.Track]
		switch {
		case !backends[at.Track.Backend]:
			b.cross(s.Pos, config.Error, s.Track.Backend, "server %q tracks a server of the backend %q, which does not exist", s.Name, at.Track.Backend)
			return
		case !ok:
			b.cross(s.Pos, config.Error, s.Track.Server, "server %q tracks %s/%s, which does not exist", s.Name, at.Track.Backend, at.Track.Server)
			return
		case next == s || steps > len(servers):
			b.cross(s.Pos, config.Error, s.Track.Server, "server %q tracks itself, over %s/%s", s.Name, at.Track.Backend, at.Track.Server)
			return
		case next.Track.Server == "" && !next.Check && !next.Agent.Enabled:
			b.cross(s.Pos, config.Error, s.Track.Server, "server %q tracks %s/%s, which has no check", s.Name, at.Track.Backend, at.Track.Server)
		}
		at = next
	}
}

// settleLimits makes a minconn that stands alone, or above maxconn, the
// maxconn, as HAProxy does.
func settleLimits(s *settings.Server) {
	if s.MinConn > s.MaxConn {
		s.MaxConn = s.MinConn
	}
}
