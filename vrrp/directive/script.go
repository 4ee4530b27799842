package directive

import (
	"time"

	"herald/config"
	"herald/config/block"
	"herald/vrrp/settings"
)

// scriptDraft is one vrrp_script being read.
type scriptDraft struct {
	settings.Script
	refused bool // a fault that leaves it out
}

type scriptKeyword = keyword[scriptDraft]

var scriptWords = config.NewRegistry(
	row[scriptDraft]{Name: "script", Syntax: "COMMAND...", Doc: "The check: exit status 0 is good. A command that asks whether haproxy runs is answered by herald itself.",
		Example: `script "/etc/keepalived/check.sh eth0"`, Do: scriptKeyword{act: scriptCommand}},
	row[scriptDraft]{Name: "interval", Syntax: "SECONDS", Doc: "Time between two runs, 1 s.", Example: "interval 2",
		Do: scriptKeyword{act: func(b *build, s *scriptDraft, st block.Statement) {
			s.Interval = b.seconds(st, 1, leastInterval, 24*time.Hour, time.Second)
		}}},
	row[scriptDraft]{Name: "timeout", Syntax: "SECONDS", Doc: "A run that takes longer has failed; the interval by default.", Example: "timeout 1",
		Do: scriptKeyword{act: func(b *build, s *scriptDraft, st block.Statement) {
			s.Timeout = b.seconds(st, 1, leastInterval, 24*time.Hour, time.Second)
		}}},
	row[scriptDraft]{Name: "weight", Syntax: "NUMBER [reverse]", Doc: "Added to the priority while good (positive) or taken while bad (negative); 0 means FAULT while bad.",
		Example: "weight -20", Do: scriptKeyword{act: func(b *build, s *scriptDraft, st block.Statement) {
			s.Weight = b.boundedWeight(st, 1)
			_, s.Reverse = b.weight(st, 2, 0, false)
		}}},
	row[scriptDraft]{Name: "rise", Syntax: "COUNT", Doc: "Successes in a row that make it good, 1.", Example: "rise 2",
		Do: scriptKeyword{act: func(b *build, s *scriptDraft, st block.Statement) { s.Rise = b.number(st, 1, 1, 1<<31-1, 1) }}},
	row[scriptDraft]{Name: "fall", Syntax: "COUNT", Doc: "Failures in a row that make it bad, 1.", Example: "fall 3",
		Do: scriptKeyword{act: func(b *build, s *scriptDraft, st block.Statement) { s.Fall = b.number(st, 1, 1, 1<<31-1, 1) }}},
	row[scriptDraft]{Name: "user", Syntax: "USER [GROUP]", Doc: "The account it runs as.", Example: "user nobody",
		Do: scriptKeyword{act: func(b *build, s *scriptDraft, st block.Statement) {
			s.User, s.Group = st.Arg(1), st.Arg(2)
			s.refused = s.refused || !b.user(st, s.User, s.Group)
		}}},
	row[scriptDraft]{Name: "init_fail", Doc: "Bad until the first success.", Example: "init_fail",
		Do: scriptKeyword{act: func(_ *build, s *scriptDraft, _ block.Statement) { s.InitFail = true }}},
)

// leastInterval keeps a slip from running a script without pause.
const leastInterval = 100 * time.Millisecond

func scriptCommand(b *build, s *scriptDraft, st block.Statement) {
	words := st.Words[1:]
	s.Argv, s.Text = block.Command(words), text(words)
	if len(words) > 1 {
		b.diags.Warnf(words[1].Pos, words[1].Text,
			"script: keepalived drops all after the first word here; herald passes it on; write the whole command in quotes")
	}
}

// script reads one vrrp_script.
func script(b *build, _ *build, st block.Statement) {
	s := scriptDraft{Script: settings.Script{Pos: st.Pos, Name: st.Arg(1), Interval: time.Second, Rise: 1, Fall: 1}}
	apply(b, "vrrp_script", scriptWords, &s, st.Children)
	switch {
	case len(s.Argv) == 0:
		b.diags.Errorf(st.Pos, s.Name, "vrrp_script %s is left out: it has no script", s.Name)
		return
	case b.scripts[s.Name]:
		b.diags.Errorf(st.Pos, s.Name, "vrrp_script %s is left out: the name is taken", s.Name)
		return
	case s.refused:
		b.diags.Errorf(st.Pos, s.Name, "vrrp_script %s is left out: the account it runs as does not exist", s.Name)
		return
	}
	if s.Timeout == 0 {
		s.Timeout = s.Interval
	}
	switch {
	case !asksForProxy(s.Text):
	case b.o.ForeignProxy:
		b.diags.Noticef(st.Pos, s.Text, "vrrp_script %s: %q is run as it stands, for no proxy of herald's own is configured; "+
			"with its haproxy.cfg too it would be answered at once", s.Name, s.Text)
	default:
		s.InProcess = true
		b.diags.Noticef(st.Pos, s.Text, "vrrp_script %s: %q is not run: it is answered in-process by whether "+
			"herald's own proxy is serving, at once; interval %v no longer matters", s.Name, s.Text, s.Interval)
	}
	b.scripts[s.Name] = true
	b.config.Scripts = append(b.config.Scripts, s.Script)
}
