package fsm

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the expectations of testdata/*.txt")

// epoch is 0s of every script.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// TestScripts runs testdata/*.txt. A line is a time since the beginning (or
// "due", the deadline) and an event; the indented lines below it are what Step
// answered: the actions in order, then the state. Lines of "config" change the
// configuration, "#" is a comment.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(want))
			if *update {
				if err := os.WriteFile(f, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want) {
				t.Errorf("%s:\n%s", f, firstDifference(string(want), got))
			}
		})
	}
}

// watchTransitions is told every action of a script; nil for nobody.
var watchTransitions func(Action)

func play(t *testing.T, script string) string {
	t.Helper()
	var out strings.Builder
	c := Config{Own: netip.MustParseAddr("10.1.1.20"), Interval: time.Second}
	var s State
	for n, line := range strings.Split(strings.TrimRight(script, "\n"), "\n") {
		words := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "  "):
			continue // an expectation
		case len(words) == 0 || words[0][0] == '#':
			out.WriteString(line + "\n")
			continue
		case words[0] == "config":
			out.WriteString(line + "\n")
			configure(t, &c, words[1:])
			continue
		}
		out.WriteString(line + "\n")
		now := s.Deadline
		if words[0] != "due" {
			now = epoch.Add(duration(t, words[0]))
		}
		var actions []Action
		s, actions = Step(c, s, now, event(t, n+1, words[1:]))
		for _, a := range actions {
			out.WriteString("    " + describe(a) + "\n")
			if watchTransitions != nil {
				watchTransitions(a)
			}
		}
		out.WriteString("  " + describeState(s) + "\n")
	}
	return out.String()
}

func configure(t *testing.T, c *Config, words []string) {
	t.Helper()
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "own":
			c.Own = netip.MustParseAddr(value)
		case "interval":
			c.Interval = duration(t, value)
		case "nopreempt":
			c.NoPreempt = true
		case "preempt":
			c.NoPreempt = false
		case "lower_prio_no_advert":
			c.LowerPrioNoAdvert = true
		case "higher_prio_send_advert":
			c.HigherPrioSendAdvert = true
		case "preempt_delay":
			c.PreemptDelay = duration(t, value)
		case "startup_delay":
			c.StartupDelay = duration(t, value)
		case "skew_base":
			c.SkewBase = duration(t, value)
		case "down_adverts":
			c.DownAdverts = number(t, value)
		default:
			t.Fatalf("config %s: unknown", key)
		}
	}
}

func event(t *testing.T, line int, words []string) Event {
	t.Helper()
	switch words[0] {
	case "start":
		return Start{Priority: uint8(number(t, words[1])), Holding: len(words) > 2 && words[2] == "holding"}
	case "stop":
		return Stop{}
	case "advert":
		a := Advert{Peer: netip.MustParseAddr(words[1]), Priority: uint8(number(t, words[2]))}
		if len(words) > 4 && words[3] == "every" {
			a.Interval = duration(t, words[4])
		}
		return a
	case "drain":
		return Drain{}
	case "undrain":
		return Undrain{}
	case "timer":
		return Timer{}
	case "priority":
		return Priority{Value: uint8(number(t, words[1]))}
	case "fault":
		return Faulty{Reason: strings.Join(words[1:], " ")}
	case "clear":
		return Clear{}
	case "lead":
		return Lead{Member: words[1]}
	case "yield":
		return Yield{Member: words[1]}
	case "hold":
		return Hold{Member: words[1]}
	case "rally":
		return Rally{}
	case "reconfigure":
		return Reconfigure{Priority: uint8(number(t, words[1])), Addresses: len(words) > 2 && words[2] == "addresses"}
	}
	t.Fatalf("line %d: unknown event %q", line, words[0])
	return nil
}

func describe(a Action) string {
	switch a.Verb {
	case SendAdvert:
		return fmt.Sprintf("send %d", a.Priority)
	case Report:
		return fmt.Sprintf("report %v to %v: %v", a.Told.From, a.Told.To, a.Told)
	case Note:
		return fmt.Sprintf("note: %v", a.Told)
	}
	return a.Verb.String()
}

func describeState(s State) string {
	d := fmt.Sprintf("%v %d", s.Kind, s.Priority)
	if !s.Deadline.IsZero() {
		d += fmt.Sprintf(" due %v", s.Deadline.Sub(epoch).Round(time.Microsecond))
	}
	if s.Holding {
		d += " holding"
	}
	return d
}

func duration(t *testing.T, s string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		var a, b string
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return fmt.Sprintf("line %d: got  %q\n        want %q\nwhole:\n%s", i+1, b, a, got)
		}
	}
	return ""
}
