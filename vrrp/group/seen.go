package group

import (
	"fmt"

	"herald/vrrp/settings"
)

// Seen is what is known of things outside the VRRP process.
type Seen struct {
	Files map[string]int // numbers by settings.File.Name; one that is missing is 0
	Proxy Proxy
	// Processes are by settings.TrackedProcess.Name.
	Processes map[string]Quorum
}

// Proxy is how herald's own proxy is. Unknown until it has said so; Bad
// counts every frontend and backend as down.
type Proxy struct {
	Verdict   Verdict
	Frontends map[string]bool // whether each accepts connections
	Backends  map[string]int  // how many servers of each are up
}

// leastFile is the number times weight below which a file is a fault
// (keepalived.conf(5), track_file).
const leastFile = -253

// weigh returns what something tracked adds to the priority, the fault it
// makes, and whether an instance has to wait for its first answer.
func (s Seen) weigh(w settings.Watched) (add int, fault string, wait bool) {
	switch w.Kind {
	case settings.AFile:
		add, fault = s.file(w)
		return add, fault, false
	case settings.AProcess:
		return s.Processes[w.Name].weigh(w)
	case settings.AFrontend:
		fault = fmt.Sprintf("frontend %s does not accept", w.Name)
	case settings.ABackend:
		fault = fmt.Sprintf("backend %s has %d of %d servers", w.Name, s.Proxy.Backends[w.Name], w.MinServers)
	}
	if w.Reverse && w.Weight == 0 {
		fault = fmt.Sprintf("%s is up", w.Name)
	}
	v := s.Proxy.verdict(w)
	add, failed := weigh(v, w.Weight, w.Reverse)
	if !failed {
		fault = ""
	}
	return add, fault, w.Weight == 0 && v == Unknown
}

func (s Seen) file(w settings.Watched) (add int, fault string) {
	n := s.Files[w.Name]
	if w.Weight == 0 {
		if (n != 0) != w.Reverse {
			fault = fmt.Sprintf("file %s has %d", w.Name, n)
		}
		return 0, fault
	}
	// Bounded, so that no number makes the product wrap.
	add = min(max(n, -1<<24), 1<<24) * w.Weight
	if w.Reverse {
		add = -add
	}
	if add < leastFile {
		fault = fmt.Sprintf("file %s has %d", w.Name, n)
	}
	return add, fault
}

func (p Proxy) verdict(w settings.Watched) Verdict {
	if p.Verdict != Good {
		return p.Verdict
	}
	if p.Frontends == nil && p.Backends == nil {
		return Unknown // it serves, and has not told of its parts yet
	}
	ok := p.Frontends[w.Name]
	if w.Kind == settings.ABackend {
		ok = p.Backends[w.Name] >= w.MinServers
	}
	if ok {
		return Good
	}
	return Bad
}
