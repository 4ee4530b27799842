package census

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// pids lists the processes there are.
func pids() []int {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var list []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			list = append(list, pid)
		}
	}
	return list
}

func file(pid int, name string) string { return "/proc/" + strconv.Itoa(pid) + "/" + name }

// nameOf returns the name the kernel keeps.
func nameOf(pid int) (string, bool) {
	b, err := os.ReadFile(file(pid, "comm"))
	return strings.TrimSuffix(string(b), "\n"), err == nil
}

// commandOf returns the words of the command line.
func commandOf(pid int) []string {
	b, err := os.ReadFile(file(pid, "cmdline"))
	if err != nil || len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
}

// zombie reports whether a process has ended and waits for its parent.
func zombie(pid int) bool {
	b, err := os.ReadFile(file(pid, "stat"))
	// The name stands in parentheses and may hold any byte.
	i := bytes.LastIndexByte(b, ')')
	return err != nil || i < 0 || i+2 >= len(b) || b[i+2] == 'Z' || b[i+2] == 'X'
}

// over reports whether the process of a pidfd has ended.
func over(pidfd int) bool {
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}
