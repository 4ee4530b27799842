package lab

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// at makes echoes one millisecond apart; '.' is answered, 'x' is not, 'l' is
// answered too late.
func at(start time.Time, pattern string) []echo {
	var list []echo
	for i, c := range pattern {
		e := echo{sent: start.Add(time.Duration(i) * time.Millisecond)}
		switch c {
		case '.':
			e.took = 50 * time.Microsecond
		case 'l':
			e.took = lateEcho + time.Millisecond
		}
		list = append(list, e)
	}
	return list
}

func TestGapIsFromTheFirstLostQuestionToTheNextAnsweredOne(t *testing.T) {
	start := time.Now()
	for _, row := range []struct {
		pattern string
		sent    int
		lost    int
		gap     time.Duration
		outages int
		open    bool
	}{
		{"", 0, 0, 0, 0, false},
		{".....", 5, 0, 0, 0, false},
		{"..xx..", 6, 2, 2 * time.Millisecond, 1, false},
		{".x..xxx.", 8, 4, 3 * time.Millisecond, 2, false},
		{"..ll..", 6, 2, 2 * time.Millisecond, 1, false},
		{".lx.", 4, 2, 2 * time.Millisecond, 1, false},
		{"xxx", 3, 3, 2 * time.Millisecond, 1, true},
		{"..xx", 4, 2, 1 * time.Millisecond, 1, true},
	} {
		r := summarize("10.1.1.10", at(start, row.pattern), lateEcho, start.Add(time.Minute))
		open := len(r.Outages) > 0 && r.Outages[len(r.Outages)-1].Open
		if r.Sent != row.sent || r.Lost != row.lost || r.Gap != row.gap || len(r.Outages) != row.outages || open != row.open {
			t.Errorf("%q: got %+v, want sent %d lost %d gap %v outages %d open %v", row.pattern, r, row.sent, row.lost, row.gap, row.outages, row.open)
		}
	}
}

func TestAnAnswerThatIsNotDueYetIsNotLost(t *testing.T) {
	start := time.Now()
	r := summarize("10.1.1.10", at(start, "...xx"), lateEcho, start.Add(50*time.Millisecond))
	if r.Sent != 3 || r.Lost != 0 {
		t.Errorf("got %+v, want 3 sent and none lost", r)
	}
}

func TestAStallOfTheProberIsNotAnOutage(t *testing.T) {
	start := time.Now()
	echoes := append(at(start, "..."), at(start.Add(400*time.Millisecond), "...")...)
	r := summarize("10.1.1.10", echoes, lateEcho, start.Add(time.Minute))
	if r.Gap != 0 || r.Lost != 0 || r.Stall != 398*time.Millisecond {
		t.Errorf("got %+v, want no gap and a stall of 398ms", r)
	}
}

func TestOverlapCountsOnlyTimeWithSeveralHolders(t *testing.T) {
	start := time.Now()
	ms := func(n int) time.Time { return start.Add(time.Duration(n) * time.Millisecond) }
	list := []Change{
		{ms(0), "a", "v", true}, {ms(10), "other", "w", true}, {ms(100), "b", "v", true}, {ms(130), "a", "v", false},
		{ms(200), "b", "v", false}, {ms(300), "a", "v", true}, {ms(400), "b", "v", true},
	}
	for _, row := range []struct {
		since, until int
		want         time.Duration
	}{
		{0, 350, 30 * time.Millisecond},
		{0, 410, 40 * time.Millisecond},
		{110, 350, 20 * time.Millisecond},
		{140, 410, 10 * time.Millisecond},
	} {
		changes := slices.DeleteFunc(slices.Clone(list), func(c Change) bool { return c.At.After(ms(row.until)) })
		if got := overlap(changes, "v", ms(row.since), ms(row.until)); got != row.want {
			t.Errorf("from %d to %d ms: got %v, want %v", row.since, row.until, got, row.want)
		}
	}
}

func TestOnlyRouterIDAndStatisticsAddressDifferPerNode(t *testing.T) {
	var s Setup
	if got := s.keepalivedConf(0); got != seedKeepalived {
		t.Errorf("keepalived.conf of the first controller is not the published one:\n%s", got)
	}
	if got := s.haproxyConf(0); got != seedHaproxy {
		t.Errorf("haproxy.cfg of the first controller is not the published one:\n%s", got)
	}
	for i := 1; i < 3; i++ {
		for _, pair := range [][2]string{{seedKeepalived, s.keepalivedConf(i)}, {seedHaproxy, s.haproxyConf(i)}} {
			was, is := strings.Split(pair[0], "\n"), strings.Split(pair[1], "\n")
			var differ []string
			for k := range was {
				if was[k] != is[k] {
					differ = append(differ, is[k])
				}
			}
			if len(was) != len(is) || len(differ) != 1 || !strings.HasPrefix(differ[0], "router_id controller-") && !strings.HasPrefix(differ[0], "listen stats ") {
				t.Errorf("controller %d differs in %q", i, differ)
			}
		}
	}
}

func TestPrioritiesReplaceEveryPublishedOne(t *testing.T) {
	got := Setup{Priorities: []int{102, 101, 100}}.keepalivedConf(1)
	if n := strings.Count(got, "priority 101\n"); n != 2 || strings.Contains(got, "priority 100") {
		t.Errorf("got %d times priority 101 in\n%s", n, got)
	}
}

func TestModernWordsSayTheSame(t *testing.T) {
	got := modern(seedHaproxy)
	for _, want := range []string{"timeout connect 5000\n", "timeout client 50000\n", "timeout server 50000\n", "listen stats\nbind 192.168.243.11:80\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if got := modern(seedKeepalived); !strings.Contains(got, "script \"killall -0 haproxy\"\n") {
		t.Errorf("the quotes are not plain in\n%s", got)
	}
}

func TestLogLinesKeepTheirSocketAndText(t *testing.T) {
	got, ok := parseLogLine("1700000000000000001\t/dev/log\t<134>a\tb\n")
	if !ok || got.From != "/dev/log" || got.Text != "<134>a\tb" || got.At.UnixNano() != 1700000000000000001 {
		t.Errorf("got %+v, %v", got, ok)
	}
	for _, bad := range []string{"", "x\n", "x\ty\tz\n"} {
		if _, ok := parseLogLine(bad); ok {
			t.Errorf("%q was taken for a log line", bad)
		}
	}
}
