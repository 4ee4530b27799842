package group

import (
	"strings"
	"testing"

	"herald/vrrp/settings"
)

func TestWhatIsSeenOutside(t *testing.T) {
	file := func(weight int, reverse bool) settings.Watched {
		return settings.Watched{Kind: settings.AFile, Name: "m", Weight: weight, Reverse: reverse}
	}
	web := settings.Watched{Kind: settings.AFrontend, Name: "web", Weight: 5}
	fatal := settings.Watched{Kind: settings.AFrontend, Name: "web"}
	app := settings.Watched{Kind: settings.ABackend, Name: "app", MinServers: 2, Weight: -30}
	proxy := func(web bool, app int) Seen {
		return Seen{Proxy: Proxy{Verdict: Good, Frontends: map[string]bool{"web": web}, Backends: map[string]int{"app": app}}}
	}
	number := func(n int) Seen { return Seen{Files: map[string]int{"m": n}} }
	for _, c := range []struct {
		name    string
		w       settings.Watched
		seen    Seen
		want    uint8
		fault   string
		waiting string
	}{
		{"a missing file is 0", file(1, false), Seen{}, 100, "", ""},
		{"a number counts", file(1, false), number(7), 107, "", ""},
		{"times the weight", file(-3, false), number(7), 79, "", ""},
		{"reversed", file(3, true), number(7), 79, "", ""},
		{"never beyond 254", file(253, false), number(1 << 40), 254, "", ""},
		{"-253 is a priority of 1", file(1, false), number(-253), 1, "", ""},
		{"less than -253 is a fault", file(1, false), number(-254), 1, "file m has -254", ""},
		{"weight 0, a number", file(0, false), number(2), 100, "file m has 2", ""},
		{"weight 0, none", file(0, false), number(0), 100, "", ""},
		{"weight 0 reversed, none", file(0, true), number(0), 100, "file m has 0", ""},
		{"a frontend that accepts", web, proxy(true, 0), 105, "", ""},
		{"one that does not", web, proxy(false, 0), 100, "", ""},
		{"nothing known yet", web, Seen{}, 100, "", ""},
		{"nothing known yet of what decides", fatal, Seen{}, 100, "", "web"},
		{"a frontend that decides", fatal, proxy(false, 0), 100, "frontend web does not accept", ""},
		{"the proxy is gone", fatal, Seen{Proxy: Proxy{Verdict: Bad, Frontends: map[string]bool{"web": true}}}, 100, "frontend web does not accept", ""},
		{"it serves and has not told its parts yet", fatal, Seen{Proxy: Proxy{Verdict: Good}}, 100, "", "web"},
		{"servers enough", app, proxy(true, 2), 100, "", ""},
		{"too few", app, proxy(true, 1), 70, "", ""},
		{"too few, and that decides", settings.Watched{Kind: settings.ABackend, Name: "app", MinServers: 2}, proxy(true, 1), 100, "backend app has 1 of 2 servers", ""},
	} {
		got := Weigh(settings.Instance{Priority: 100, DontTrackPrimary: true, Watched: []settings.Watched{c.w}}, nil, nil, c.seen)
		if got.Priority != c.want || strings.Join(got.Faults, ", ") != c.fault || strings.Join(got.Waiting, ", ") != c.waiting {
			t.Errorf("%s: got %+v, want %d, %q, %q", c.name, got, c.want, c.fault, c.waiting)
		}
	}
}
