package group

import (
	"slices"
	"testing"

	"herald/vrrp/settings"
)

func TestRiseAndFallCountResultsInARow(t *testing.T) {
	for _, c := range []struct {
		name       string
		rise, fall int
		start      Count
		results    string // + success, - failure
		want       string // g good, b bad, after each
	}{
		{"the first success counts at once", 3, 3, Count{}, "+", "g"},
		{"the first failure counts at once", 3, 3, Count{}, "-", "b"},
		{"one of each by default", 0, 0, Count{}, "+-+", "gbg"},
		{"fall wants them in a row", 1, 3, Count{}, "+--+--+---", "gggggggggb"},
		{"rise wants them in a row", 3, 1, Count{}, "-++-++-+++", "bbbbbbbbbg"},
		{"init_fail has to rise", 2, 1, Initial(settings.Script{InitFail: true}), "++", "bg"},
		{"otherwise nothing is known", 2, 2, Initial(settings.Script{}), "+-+--", "ggggb"},
	} {
		count, got := c.start, ""
		for _, r := range c.results {
			count = count.Step(c.rise, c.fall, r == '+')
			got += count.Verdict.String()[:1]
		}
		if got != c.want {
			t.Errorf("%s: %s gives %s, want %s", c.name, c.results, got, c.want)
		}
	}
}

func TestPriorityIsTheBasePlusWeights(t *testing.T) {
	up := func(name string) bool { return name != "down0" && name != "gone0" }
	track := func(name string, weight int) settings.Track { return settings.Track{Source: name, Weight: weight} }
	reverse := func(tr settings.Track) settings.Track { tr.Reverse = true; return tr }
	verdicts := map[string]Verdict{"good": Good, "bad": Bad, "new": Unknown}
	for _, c := range []struct {
		name    string
		base    uint8
		scripts []settings.Track
		ifaces  []settings.TrackInterface
		want    uint8
		faults  []string
		waiting []string
	}{
		{name: "nothing tracked", base: 100, want: 100},
		{name: "killall -0 haproxy, weight 2, serving", base: 100, scripts: []settings.Track{track("good", 2)}, want: 102},
		{name: "and dead", base: 100, scripts: []settings.Track{track("bad", 2)}, want: 100},
		{name: "and not known yet", base: 100, scripts: []settings.Track{track("new", 2)}, want: 100},
		{name: "negative while bad", base: 100, scripts: []settings.Track{track("bad", -20)}, want: 80},
		{name: "negative while good", base: 100, scripts: []settings.Track{track("good", -20)}, want: 100},
		{name: "negative while unknown", base: 100, scripts: []settings.Track{track("new", -20)}, want: 100},
		{name: "reverse takes while good", base: 100, scripts: []settings.Track{reverse(track("good", 5))}, want: 95},
		{name: "reverse adds while bad", base: 100, scripts: []settings.Track{reverse(track("bad", -5))}, want: 105},
		{name: "they add up", base: 100, scripts: []settings.Track{track("good", 2), track("bad", -7)}, ifaces: []settings.TrackInterface{{Name: "eth1", Weight: 10}, {Name: "down0", Weight: -1}}, want: 104},
		{name: "not above 254", base: 250, scripts: []settings.Track{track("good", 100)}, want: 254},
		{name: "not below 1", base: 10, scripts: []settings.Track{track("bad", -100)}, want: 1},
		{name: "the owner stays 255", base: 255, scripts: []settings.Track{track("bad", -100)}, want: 255},
		{name: "the owner can fail", base: 255, scripts: []settings.Track{track("bad", 0)}, want: 255, faults: []string{"script bad fails"}},
		{name: "weight 0 is a fault while bad", base: 100, scripts: []settings.Track{track("good", 0), track("bad", 0)}, want: 100, faults: []string{"script bad fails"}},
		{name: "weight 0 has to answer first", base: 100, scripts: []settings.Track{track("new", 0)}, want: 100, waiting: []string{"new"}},
		{name: "weight 0 reversed is a fault while good", base: 100, scripts: []settings.Track{reverse(track("good", 0)), reverse(track("bad", 0))}, want: 100, faults: []string{"script good fails"}},
		{name: "an undefined script is ignored", base: 100, scripts: []settings.Track{track("nobody", 0)}, want: 100},
		{name: "an interface that is down", base: 100, ifaces: []settings.TrackInterface{{Name: "down0"}, {Name: "eth1"}}, want: 100, faults: []string{"interface down0 is down"}},
		{name: "an interface that is up, reversed", base: 100, ifaces: []settings.TrackInterface{{Name: "eth1", Reverse: true}}, want: 100, faults: []string{"interface eth1 is up"}},
	} {
		in := settings.Instance{Interface: "eth0", Priority: c.base, Tracks: c.scripts, TrackInterfaces: c.ifaces}
		got := Weigh(in, verdicts, up, Seen{})
		if got.Priority != c.want || !slices.Equal(got.Faults, c.faults) || !slices.Equal(got.Waiting, c.waiting) {
			t.Errorf("%s: got %+v, want %d, %v, %v", c.name, got, c.want, c.faults, c.waiting)
		}
	}
}

func TestItsOwnInterfaceIsTracked(t *testing.T) {
	down := func(string) bool { return false }
	in := settings.Instance{Interface: "eth0", Priority: 100}
	if got := Weigh(in, nil, down, Seen{}).Faults; !slices.Equal(got, []string{"interface eth0 is down"}) {
		t.Errorf("got %q", got)
	}
	in.DontTrackPrimary = true
	if got := Weigh(in, nil, down, Seen{}).Faults; len(got) != 0 {
		t.Errorf("dont_track_primary: got %q, want no fault", got)
	}
}
