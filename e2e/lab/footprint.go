package lab

import (
	"fmt"
	"os"
	"strings"
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
