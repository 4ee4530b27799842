package fsm

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rules are those of RFC 9568 section 6.4, each of which has a script
// testdata/rfc9568_SECTION_RULE.txt.
var rules = map[string][]string{
	"6.4.1": {"owner", "not_owner"},
	"6.4.2": {"shutdown", "timer_fires", "priority_zero", "greater_or_equal", "preempt_false", "lower"},
	"6.4.3": {"shutdown", "timer_fires", "priority_zero", "greater", "equal_greater_address", "equal_lower_address", "lower"},
}

func TestEveryRuleOfRFC9568Section64HasAScript(t *testing.T) {
	known := 0
	for section, names := range rules {
		for _, name := range names {
			known++
			text, err := os.ReadFile("testdata/rfc9568_" + section + "_" + name + ".txt")
			if err != nil || !strings.HasPrefix(string(text), "# RFC 9568 section "+section+":") {
				t.Errorf("section %s, %s: %.60q, %v", section, name, text, err)
			}
		}
	}
	if files, _ := filepath.Glob("testdata/rfc9568_*.txt"); len(files) != known {
		t.Errorf("%d scripts for %d rules: %q", len(files), known, files)
	}
}

// transitions are all there are, with their causes. LEAVING is a master that
// has resigned and still answers.
var transitions = []string{
	"INIT to BACKUP: Started",
	"INIT to MASTER: OwnsThem",
	"BACKUP to INIT: Stopped",
	"BACKUP to FAULT: Failed",
	"BACKUP to BACKUP: Undrained",
	"BACKUP to MASTER: Silence",
	"BACKUP to MASTER: PeerLeft",
	"BACKUP to MASTER: Preempted",
	"BACKUP to MASTER: Led",
	"BACKUP to MASTER: Undrained",
	"MASTER to BACKUP: Outranked",
	"MASTER to BACKUP: Slept",
	"MASTER to BACKUP: Yielded",
	"MASTER to FAULT: Failed",
	"MASTER to LEAVING: Drained",
	"MASTER to LEAVING: Outranked",
	"MASTER to LEAVING: Stopped",
	"MASTER to LEAVING: Yielded",
	"LEAVING to FAULT: Failed",
	"LEAVING to MASTER: Undrained",
	"FAULT to BACKUP: Recovered",
	"FAULT to MASTER: Recovered",
	"FAULT to INIT: Stopped",
	"INIT to FAULT: Failed",
}

var causeNames = [...]string{"Started", "OwnsThem", "Silence", "PeerLeft", "Preempted", "Outranked", "Failed", "Recovered", "Stopped", "Slept",
	"Rival", "Led", "Yielded", "Drained", "Undrained"}

// TestTheScriptsTakeEveryTransition plays all scripts: each transition of the
// list is in one of them, and they take no other.
func TestTheScriptsTakeEveryTransition(t *testing.T) {
	var seen []string
	watchTransitions = func(a Action) {
		if a.Verb == Report {
			seen = append(seen, a.Told.From.String()+" to "+a.Told.To.String()+": "+causeNames[a.Told.Cause])
		}
	}
	defer func() { watchTransitions = nil }()
	files, _ := filepath.Glob("testdata/*.txt")
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		play(t, string(text))
	}
	slices.Sort(seen)
	for _, s := range slices.Compact(seen) {
		if !slices.Contains(transitions, s) {
			t.Errorf("not in the list: %s", s)
		}
	}
	for _, want := range transitions {
		if !slices.Contains(seen, want) {
			t.Errorf("in no script: %s", want)
		}
	}
}

// TestEveryCauseOfTheSourceIsInTheList finds causes nobody thought of here:
// the list cannot fall behind the code.
func TestEveryCauseOfTheSourceIsInTheList(t *testing.T) {
	cause := regexp.MustCompile(`Cause(?::| =) ([A-Z][A-Za-z]+)`)
	files, _ := filepath.Glob("*.go")
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range cause.FindAllStringSubmatch(string(text), -1) {
			if found[1] == "Rival" {
				continue // a note, no transition
			}
			if !slices.ContainsFunc(transitions, func(s string) bool { return strings.HasSuffix(s, ": "+found[1]) }) {
				t.Errorf("%s: cause %s is in no transition of the list", f, found[1])
			}
		}
	}
}
