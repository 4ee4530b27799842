package directive

import (
	"fmt"
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
}

// settleLimits makes a minconn that stands alone, or above maxconn, the
// maxconn, as HAProxy does.
func settleLimits(s *settings.Server) {
	if s.MinConn > s.MaxConn {
		s.MaxConn = s.MinConn
	}
}
