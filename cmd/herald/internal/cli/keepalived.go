package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/syslog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/lockfile"
	"herald/cmd/herald/internal/netns"
	"herald/cmd/herald/internal/personality"
	"herald/cmd/herald/internal/process"
)

// keepalivedVersion is the version whose behaviour this is: programs read it
// out of -v.
const keepalivedVersion = "v2.2.7"

// noConfiguration is keepalived's exit code without a configuration file.
const noConfiguration = 6

// inBackground is the environment entry that carries a start from one process
// image to the next: descriptor 3 takes a byte when it serves.
const inBackground = "HERALD_FORKED"

// Keepalived is herald under the name keepalived: the VRRP role alone, with
// keepalived's command line, pid files, signals and exit codes.
func Keepalived(ctx context.Context, p Program, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "role" {
		return runRole(ctx, p, args[1:], stdout, stderr)
	}
	line, err := personality.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "keepalived: %v\n", err)
		return Failed
	}
	for _, path := range []*string{&line.File, &line.Pid, &line.VRRPPid, &line.LogFile} {
		if abs, err := filepath.Abs(*path); err == nil && *path != "" {
			*path = abs
		}
	}
	o := Options{Keepalived: line.File, ConfigID: line.ConfigID}
	switch {
	case line.Help:
		fmt.Fprint(stdout, personality.Usage())
		return Done
	case line.Version:
		// keepalived prints it there.
		fmt.Fprintf(stderr, "Keepalived %s (herald %s)\n", keepalivedVersion, p.Version)
		return Done
	case line.Signum != "":
		n, known := personality.Signals[line.Signum]
		if !known {
			fmt.Fprintf(stderr, "Unknown sigfunc %s\n", line.Signum)
			return Failed
		}
		fmt.Fprintln(stdout, n)
		return Done
	case line.Test:
		return testKeepalived(p, o, line, stderr)
	case line.OnlyChecks:
		fmt.Fprintln(stderr, "keepalived: herald has no LVS health checker, which is all that -C runs")
		return Failed
	}
	if _, err := os.Stat(line.File); err != nil {
		fmt.Fprintf(stderr, "Config files missing '%s'.\n", line.File)
		return noConfiguration
	}
	place := p.Place(o)
	if line.Namespace != "" {
		place.NetNamespace = line.Namespace
	}
	if ns := place.NetNamespace; ns != "" && netns.Entered() != ns {
		fmt.Fprintf(stderr, "keepalived: %v\n", netns.Enter(ns)) // returns only when it failed
		return Failed
	}
	if !line.DontFork && p.Getenv(inBackground) == "" {
		return background(stderr)
	}
	return serveKeepalived(ctx, p, o, line, place, stderr)
}

// testKeepalived is -t.
func testKeepalived(p Program, o Options, line personality.Line, stderr io.Writer) int {
	if line.TestLog == "" {
		return p.Test(o, stderr)
	}
	f, err := os.OpenFile(line.TestLog, os.O_WRONLY|os.O_CREATE|os.O_APPEND|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		fmt.Fprintf(stderr, "keepalived: %v\n", err)
		return Failed
	}
	defer f.Close()
	return p.Test(o, f)
}

// background starts the daemon in a session of its own and waits until it
// serves, so that whoever started it finds pid files.
func background(stderr io.Writer) int {
	r, w, err := os.Pipe()
	if err != nil {
		fmt.Fprintf(stderr, "keepalived: %v\n", err)
		return Failed
	}
	defer r.Close()
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: os.Args, Env: append(os.Environ(), inBackground+"=1"),
		ExtraFiles: []*os.File{w}, SysProcAttr: &syscall.SysProcAttr{Setsid: true}}
	err = cmd.Start()
	w.Close()
	if err != nil {
		fmt.Fprintf(stderr, "keepalived: %v\n", err)
		return Failed
	}
	if _, err := r.Read(make([]byte, 1)); err == nil {
		return Done
	}
	fmt.Fprintf(stderr, "keepalived: the daemon did not start (%v); the system log says why\n", cmd.Wait())
	return Failed
}

// serveKeepalived is the daemon.
func serveKeepalived(ctx context.Context, p Program, o Options, line personality.Line, place personality.Place, stderr io.Writer) int {
	ready := func() {}
	if p.Getenv(inBackground) != "" {
		tell := os.NewFile(3, "starter")
		unix.CloseOnExec(3)
		ready = func() { tell.Write([]byte{1}); tell.Close() }
		defer tell.Close()
	}
	os.Unsetenv(inBackground)
	netns.Forget()
	o.InNamespace = place.NetNamespace != ""
	os.Chdir("/") // every path is absolute; a directory is not kept busy
	parentFile, vrrpFile := line.PidFiles(place)
	o.RunDir = runDirOf(parentFile)
	if line.Umask >= 0 {
		unix.Umask(line.Umask)
	}
	if err := process.Rename("keepalived"); err != nil { // started as "exe" behind a fork
		fmt.Fprintf(stderr, "keepalived: %v\n", err)
	}
	h := habits{name: "keepalived", log: io.Discard, dump: line.Dump, once: line.NoRespawn}
	switch {
	case line.Console:
		h.log, h.stamp = stderr, p.Getenv("JOURNAL_STREAM") == ""
	case !line.NoSyslog:
		w, err := syslog.New(facility(line.Facility)|syslog.LOG_INFO, "Keepalived")
		if err != nil {
			h.log = stderr
			break
		}
		defer w.Close()
		h.log = w
	}
	if line.LogFile != "" {
		f, err := os.OpenFile(line.LogFile, os.O_WRONLY|os.O_CREATE|os.O_APPEND|unix.O_NOFOLLOW, 0o600)
		if err != nil {
			fmt.Fprintf(stderr, "keepalived: log file: %v\n", err)
			return Failed
		}
		defer f.Close()
		h.log = io.MultiWriter(f, h.log)
	}
	files := &pidFiles{parent: parentFile, vrrp: vrrpFile, ready: ready, failed: func(err error) { fmt.Fprintf(h.log, "keepalived: %v\n", err) }}
	defer files.remove()
	h.alone, h.began = files.alone, files.began
	return live(ctx, p, o, h, stderr)
}

// runDirOf is the run directory of the daemon with a pid file: several may
// run on one machine, one for each file.
func runDirOf(pidFile string) string {
	if pidFile == "/run/keepalived.pid" {
		return "/run/herald/keepalived"
	}
	sum := sha256.Sum256([]byte(pidFile))
	return fmt.Sprintf("/run/herald/keepalived-%x", sum[:6])
}

func facility(name string) syslog.Priority {
	switch n, err := strconv.Atoi(name); {
	case err == nil && n >= 0 && n <= 7:
		return syslog.LOG_LOCAL0 + syslog.Priority(n)<<3
	case len(name) == 6 && name[:5] == "local":
		return facility(name[5:])
	case name == "user":
		return syslog.LOG_USER
	}
	return syslog.LOG_DAEMON
}

// pidFiles keeps the files that tell the numbers of the parent and of the
// VRRP process. It belongs to the supervisor's goroutine while that runs.
type pidFiles struct {
	parent, vrrp string
	ready        func()
	failed       func(error)
	started      bool
	removals     []func()
}

// alone writes the parent's number; what stands there is a dead daemon's.
func (f *pidFiles) alone() { f.write(f.parent, os.Getpid()) }

// began writes the VRRP process's number, whenever it is another.
func (f *pidFiles) began(name ipc.Name, pid int) {
	if name != ipc.VRRP {
		return
	}
	f.write(f.vrrp, pid)
	if !f.started {
		f.started = true
		f.ready()
	}
}

func (f *pidFiles) write(path string, pid int) {
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	remove, written := lockfile.WriteNumber(path, pid)
	if err = errors.Join(err, written); err != nil {
		f.failed(err)
		return
	}
	f.removals = append(f.removals, remove)
}

func (f *pidFiles) remove() {
	for _, remove := range f.removals {
		remove()
	}
}
