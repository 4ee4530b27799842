package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Footprint is what all processes of a controller's engine use together.
type Footprint struct {
	Memory      int64 // resident, in bytes
	Descriptors int
}

// Footprint adds up the processes of controller i.
func (c *Cluster) Footprint(i int) Footprint {
	var f Footprint
	for _, p := range c.Controller(i).Processes() {
		f.Memory += resident(p.PID)
		list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.PID))
		if err == nil {
			f.Descriptors += len(list)
		}
	}
	return f
}

// resident is the VmRSS line of proc_pid_status(5), 0 for one that has ended.
func resident(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "\nVmRSS:")
	var kilobytes int64
	fmt.Sscan(rest, &kilobytes)
	return kilobytes << 10
}

// Usage is what one process of a node has used.
type Usage struct {
	PID    int
	CPU    time.Duration // of its threads that have not ended
	Memory int64         // resident, in bytes
}

// Usage returns what every process of the node has used so far.
func (n *Node) Usage() []Usage {
	var list []Usage
	for _, p := range n.Processes() {
		list = append(list, Usage{p.PID, processor(p.PID), resident(p.PID)})
	}
	return list
}

// processor adds up the first numbers of schedstat, nanoseconds on a processor
// (Documentation/scheduler/sched-stats.rst): proc_pid_stat(5) counts in
// hundredths of a second.
func processor(pid int) time.Duration {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	var sum time.Duration
	for _, file := range files {
		text, _ := os.ReadFile(file) // a thread may end meanwhile
		var ran time.Duration
		fmt.Sscan(string(text), &ran)
		sum += ran
	}
	return sum
}
