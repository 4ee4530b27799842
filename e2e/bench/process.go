package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// process is a started program with all its children.
type process struct {
	cmd    *exec.Cmd
	output *bufio.Reader
	pipe   io.Closer

	collections atomic.Int64 // of garbage, as its runtime tells

	mu   sync.Mutex // guards what follows
	errs bytes.Buffer
	tail []byte // the beginning of a line
}

// errEnded is a process that ended where it should have served.
var errEnded = errors.New("it ended")

// start runs argv on the given processors, in a process group of its own.
func start(cpus string, argv ...string) (*process, error) {
	p := &process{cmd: exec.Command("taskset", append([]string{"-c", cpus}, argv...)...)}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p.cmd.Stderr = p
	p.cmd.Env = append(os.Environ(), "GODEBUG=gctrace=1")
	pipe, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.output, p.pipe = bufio.NewReader(pipe), pipe
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	return p, nil
}

// Write keeps the first of what the process says on its standard error, and
// counts what Go's runtime says there.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tail = append(p.tail, b...)
	for {
		end := bytes.IndexByte(p.tail, '\n')
		if end < 0 {
			return len(b), nil
		}
		switch line := p.tail[:end+1]; {
		case traceLine.Match(line):
			p.collections.Add(1)
		case p.errs.Len() < 4096:
			p.errs.Write(line)
		}
		p.tail = p.tail[end+1:]
	}
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.errs.String()
}

func (p *process) line() (string, error) {
	s, err := p.output.ReadString('\n')
	return strings.TrimSpace(s), err
}

func (p *process) stop() {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	kill := time.AfterFunc(3*time.Second, func() { syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) })
	p.cmd.Wait()
	kill.Stop()
}

// family is the process and its descendants.
func (p *process) family() []int {
	parents := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		if f := statFields(name); len(f) > 1 {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			parent, _ := strconv.Atoi(f[1])
			parents[parent] = append(parents[parent], pid)
		}
	}
	all := []int{p.cmd.Process.Pid}
	for i := 0; i < len(all); i++ {
		all = append(all, parents[all[i]]...)
	}
	return all
}

// statFields are the fields of a /proc/PID/stat behind the name: state is 0.
func statFields(name string) []string {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	_, rest, _ := strings.Cut(string(b[max(bytes.LastIndexByte(b, ')'), 0):]), " ")
	return strings.Fields(rest)
}

// cpu is the user and system time used so far (proc(5): fields 14 and 15, in
// hundredths of a second).
func (p *process) cpu() time.Duration {
	var ticks int
	for _, pid := range p.family() {
		if f := statFields(fmt.Sprintf("/proc/%d/stat", pid)); len(f) > 12 {
			user, _ := strconv.Atoi(f[11])
			system, _ := strconv.Atoi(f[12])
			ticks += user + system
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// rss is the resident memory in KB.
func (p *process) rss() int {
	pages := 0
	for _, pid := range p.family() {
		if f := statFields(fmt.Sprintf("/proc/%d/stat", pid)); len(f) > 21 {
			n, _ := strconv.Atoi(f[21])
			pages += n
		}
	}
	return pages * os.Getpagesize() / 1024
}

// descriptors is how many sockets and files it has open.
func (p *process) descriptors() int {
	n := 0
	for _, pid := range p.family() {
		list, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		n += len(list)
	}
	return n
}

// waitReady waits until the port answers, or the process has ended.
func waitReady(p *process, port int) error {
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			return c.Close()
		}
		if !p.alive() {
			return errEnded
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("port %d does not answer: %w", port, err)
		}
		<-tick.C
	}
}
