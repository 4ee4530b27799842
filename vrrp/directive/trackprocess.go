package directive

import (
	"path"
	"slices"
	"time"

	"herald/config"
	"herald/config/block"
	"herald/vrrp/settings"
)

// processDraft is one vrrp_track_process being read.
type processDraft struct {
	settings.TrackedProcess
	most    config.Pos // where quorum_max stood
	matched bool       // param_match stood there
}

type processKeyword = keyword[processDraft]

// longestDelay is what keepalived allows.
const longestDelay = time.Hour

var processWords = config.NewRegistry(
	row[processDraft]{Name: "process", Syntax: "COMMAND [PARAMETER...]", Doc: "The process: the name the kernel keeps of it, or with parameters its command line.", Example: "process nginx",
		Do: processKeyword{act: func(_ *build, p *processDraft, st block.Statement) {
			p.Path, p.Params = st.Arg(1), nil
			for _, w := range st.Words[min(2, len(st.Words)):] {
				p.Params = append(p.Params, w.Text)
			}
		}}},
	row[processDraft]{Name: "param_match", Syntax: "[initial|partial]", Doc: "How parameters are compared: partial lets more follow, initial lets the last be longer too; alone, or with parameters and without this line, they are equal.",
		Example: "param_match partial", Do: processKeyword{act: paramMatch}},
	row[processDraft]{Name: "weight", Syntax: "NUMBER [reverse]", Doc: "Added to the priority with a quorum (positive) or taken without (negative); 0, the default, means FAULT without.", Example: "weight 10",
		Do: processKeyword{act: func(b *build, p *processDraft, st block.Statement) {
			p.Weight = b.boundedWeight(st, 1)
			_, p.Reverse = b.weight(st, 2, 0, false)
		}}},
	row[processDraft]{Name: "quorum", Syntax: "COUNT", Doc: "How many must run, 1.", Example: "quorum 2",
		Do: processKeyword{act: func(b *build, p *processDraft, st block.Statement) { p.Quorum = b.number(st, 1, 1, 65535, 1) }}},
	row[processDraft]{Name: "quorum_max", Syntax: "COUNT", Doc: "How many may run; 0 means that none may.", Example: "quorum_max 4",
		Do: processKeyword{act: func(b *build, p *processDraft, st block.Statement) {
			p.QuorumMax, p.most = b.number(st, 1, 0, 65535, -1), st.Pos
		}}},
	row[processDraft]{Name: "delay", Syntax: "SECONDS", Doc: "Both delays.", Example: "delay 1",
		Do: processKeyword{act: func(b *build, p *processDraft, st block.Statement) {
			p.ForkDelay = b.seconds(st, 1, time.Microsecond, longestDelay, 0)
			p.TerminateDelay = p.ForkDelay
		}}},
	row[processDraft]{Name: "fork_delay", Syntax: "SECONDS", Doc: "Waits so long before a quorum gained or lost by a new process counts, 0.", Example: "fork_delay 0.5",
		Do: processKeyword{act: func(b *build, p *processDraft, st block.Statement) {
			p.ForkDelay = b.seconds(st, 1, time.Microsecond, longestDelay, 0)
		}}},
	row[processDraft]{Name: "terminate_delay", Syntax: "SECONDS", Doc: "Waits so long before a quorum lost or gained by the end of a process counts, 0.", Example: "terminate_delay 0.5",
		Do: processKeyword{act: func(b *build, p *processDraft, st block.Statement) {
			p.TerminateDelay = b.seconds(st, 1, time.Microsecond, longestDelay, 0)
		}}},
	row[processDraft]{Name: "full_command", Doc: "Compares the first word of the command line, not the name the kernel keeps.", Example: "full_command",
		Do: processKeyword{act: func(_ *build, p *processDraft, _ block.Statement) { p.FullCommand = true }}},
)

func paramMatch(b *build, p *processDraft, st block.Statement) {
	p.matched = true
	switch st.Arg(1) {
	case "":
		p.Match = settings.Exact
	case "initial":
		p.Match = settings.Initial
	case "partial":
		p.Match = settings.Partial
	default:
		p.matched = false
		b.diags.Warnf(st.Words[1].Pos, st.Arg(1), "param_match: %q is not initial or partial; the line is ignored", st.Arg(1))
	}
}

// keptName is how much of a process's name the kernel keeps (comm).
const keptName = 15

// trackProcess reads one vrrp_track_process block.
func trackProcess(b *build, _ *build, st block.Statement) {
	p := processDraft{TrackedProcess: settings.TrackedProcess{Pos: st.Pos, Name: st.Arg(1), Quorum: 1, QuorumMax: -1}}
	apply(b, "vrrp_track_process", processWords, &p, st.Children)
	switch {
	case p.Path == "":
		b.diags.Errorf(st.Pos, p.Name, "vrrp_track_process %s is left out: it has no process", p.Name)
		return
	case slices.ContainsFunc(b.config.Processes, func(o settings.TrackedProcess) bool { return o.Name == p.Name }):
		b.diags.Errorf(st.Pos, p.Name, "vrrp_track_process %s is left out: the name is taken", p.Name)
		return
	}
	switch {
	case p.QuorumMax == 0:
		p.Quorum = 0
	case p.QuorumMax > 0 && p.QuorumMax < p.Quorum:
		b.diags.Warnf(p.most, "quorum_max", "vrrp_track_process %s: quorum_max %d is less than quorum %d and is ignored", p.Name, p.QuorumMax, p.Quorum)
		p.QuorumMax = -1
	}
	if len(p.Params) > 0 && !p.matched {
		p.Match = settings.Exact
	}
	p.FullCommand = p.FullCommand || p.matched || len(p.Params) > 0
	if !p.FullCommand && len(p.Path) > keptName {
		b.diags.Warnf(st.Pos, p.Path, "vrrp_track_process %s: the kernel keeps %d bytes of a name: every process named %s is taken for %s; full_command compares all of it",
			p.Name, keptName, p.Path[:keptName], p.Path)
	}
	if path.Base(p.Path) == "haproxy" && !b.o.ForeignProxy {
		p.InProcess = true
		b.diags.Noticef(st.Pos, p.Path, "vrrp_track_process %s: no process %q is counted: whether herald's own proxy is serving answers, at once", p.Name, p.Path)
	}
	b.config.Processes = append(b.config.Processes, p.TrackedProcess)
}

// watchedProcesses connects lines of track_process with the blocks there are.
func (b *build) watchedProcesses(where string, lines []block.Statement) []settings.Watched {
	var list []settings.Watched
	for _, line := range lines {
		name := line.Keyword()
		i := slices.IndexFunc(b.config.Processes, func(p settings.TrackedProcess) bool { return p.Name == name })
		if i < 0 {
			b.diags.Warnf(line.Pos, name, "%s: track_process %s: there is no such vrrp_track_process; it is ignored", where, name)
			continue
		}
		w := settings.Watched{Pos: line.Pos, Kind: settings.AProcess, Name: name}
		w.Weight, w.Reverse = b.weight(line, 1, b.config.Processes[i].Weight, b.config.Processes[i].Reverse)
		list = append(list, w)
	}
	return list
}
