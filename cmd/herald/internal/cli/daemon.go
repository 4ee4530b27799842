package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"herald/cmd/herald/internal/census"
	"herald/cmd/herald/internal/control"
	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/lifecycle"
	"herald/cmd/herald/internal/lockfile"
	"herald/cmd/herald/internal/notify"
	"herald/cmd/herald/internal/process"
	"herald/cmd/herald/internal/script"
	"herald/cmd/herald/internal/sockets"
	"herald/cmd/herald/internal/supervise"
	"herald/cmd/herald/internal/watch"
	"herald/cmd/herald/internal/withdraw"
)

// runDaemon is `herald run`.
func runDaemon(ctx context.Context, p Program, args []string, _, stderr io.Writer) int {
	o, err := daemonFiles(p, "run", args)
	if err != nil {
		return wrong(stderr, "run", err)
	}
	// journald stamps lines itself.
	return live(ctx, p, o, habits{name: "herald run", log: stderr, stamp: p.Getenv("JOURNAL_STREAM") == ""}, stderr)
}

// habits are what a daemon does one way as herald and another as keepalived.
type habits struct {
	name  string // for what fails at the start
	log   io.Writer
	stamp bool // lines of the log begin with the time
	// alone is called when no other daemon has the run directory; nil for
	// nothing.
	alone func()
	// began is told every process that begins to serve; nil for nobody.
	began func(name ipc.Name, pid int)
	// dump has the configuration written into the log by every VRRP process
	// that begins.
	dump bool
	// once ends the daemon when a role dies, instead of starting it again.
	once bool
}

// live is the parent: lock, control socket, signals, supervision.
func live(ctx context.Context, p Program, o Options, h habits, stderr io.Writer) int {
	o = o.absolute()
	// A log reader that went away must not take the daemon along.
	signal.Ignore(syscall.SIGPIPE)
	lock, err := lockfile.Take(lockPath(o.RunDir))
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", h.name, err)
		return Failed
	}
	defer lock.Release()
	if h.alone != nil {
		h.alone()
	}
	listener, err := control.Listen(socketPath(o.RunDir))
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", h.name, err)
		return Failed
	}
	j := newJournal(h.log, h.stamp)
	defer j.close(time.Second)
	times := lifecycle.Defaults
	times.NoRestart = h.once
	begun := make(chan ipc.Name, 16)
	began := func(name ipc.Name, pid int) {
		if h.began != nil {
			h.began(name, pid)
		}
		select {
		case begun <- name:
		default: // one dump too few
		}
	}
	left, err := withdraw.Recall(heldPath(o.RunDir))
	if err != nil {
		j.log("herald: " + err.Error())
	}
	s := supervise.New(supervise.Options{Roles: o.Roles(), Version: p.Version, Node: hostName(), Began: began, Times: times,
		Held: left.Held, Belongings: ipc.Belongings(left.Belongings), Log: func(line string) { j.log("herald: " + line) }}, system(o, p))
	server := control.Serve(listener, map[string]control.Answer{
		"status":  func(ctx context.Context) (any, error) { return s.Status(ctx) },
		"reload":  func(ctx context.Context) (any, error) { return s.Reload(ctx), nil },
		"drain":   func(ctx context.Context) (any, error) { return nil, s.Drain(ctx) },
		"undrain": func(ctx context.Context) (any, error) { return nil, s.Undrain(ctx) },
	})
	defer server.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	signals, files := make(chan os.Signal, 8), make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)
	signal.Notify(files, dumpSignals()...)
	defer signal.Stop(files)
	over := make(chan struct{})
	var obeying sync.WaitGroup
	obeying.Go(func() { obey(signals, over, stop, s) })
	obeying.Go(func() { dumpFiles(files, over, s, j.log) })
	if h.dump {
		obeying.Go(func() { dumpEach(begun, over, s, j.log) })
	}
	j.log(fmt.Sprintf("herald: version %s, pid %d, reading %v", p.Version, os.Getpid(), o.named()))
	code := s.Run(ctx)
	close(over)
	obeying.Wait()
	j.log(fmt.Sprintf("herald: ended with %d", code))
	return code
}

// daemonFiles reads the flags of the daemon and its roles.
func daemonFiles(p Program, name string, args []string) (Options, error) {
	var fast, inside bool
	var id string
	o, err := files(p, name, args, func(set *flag.FlagSet) {
		set.BoolVar(&fast, "fast-stop", false, "")
		set.StringVar(&id, "config-id", "", "")
		if name == "role" {
			set.BoolVar(&inside, "in-namespace", false, "")
		}
	})
	o.FastStop, o.ConfigID, o.InNamespace = fast, id, inside
	return o, err
}

// daemon is what signals act on.
type daemon interface {
	Reload(context.Context) supervise.Result
	Kill()
}

// obey acts on signals until over. A SIGHUP during a reload is one more reload
// after it: the files may have changed since they were read.
func obey(signals <-chan os.Signal, over <-chan struct{}, stop func(), d daemon) {
	var reloaded chan struct{} // not nil while one is under way
	again, stopping := false, false
	reload := func() {
		done := make(chan struct{})
		reloaded = done
		go func() { d.Reload(context.Background()); close(done) }()
	}
	for {
		select {
		case <-over:
			if reloaded != nil {
				<-reloaded
			}
			return
		case <-reloaded:
			reloaded = nil
			if again {
				again = false
				reload()
			}
		case sig := <-signals:
			switch {
			case sig == syscall.SIGHUP && reloaded != nil:
				again = true
			case sig == syscall.SIGHUP:
				reload()
			case stopping:
				d.Kill()
			default:
				stopping = true
				stop()
			}
		}
	}
}

// system joins the supervisor with the edges.
func system(o Options, p Program) supervise.System {
	return supervise.System{
		Start: func(name ipc.Name) (supervise.Process, error) {
			return process.Start(append([]string{"role", string(name)}, o.Args()...), os.Environ())
		},
		Listen: func(spec ipc.Socket, shared bool) (supervise.Listener, error) {
			return sockets.Open(spec, sockets.Sharing(shared))
		},
		Port:     sockets.Port,
		Outward:  sockets.Outward,
		Prepare:  func(s ipc.Script) (supervise.Script, error) { return script.Prepare(s) },
		Watch:    watchFiles,
		Follow:   followFiles,
		Count:    countProcesses,
		Withdraw: withdraw.Addresses,
		Clear:    withdraw.Belongings,
		Remember: func(held []ipc.Address, b ipc.Belongings) error {
			return withdraw.Remember(heldPath(o.RunDir), held, b)
		},
		Notify:   notify.To(p.Getenv("NOTIFY_SOCKET")),
		WritePid: lockfile.WritePid,
	}
}

// watchFiles joins the supervisor with the watch of files.
func watchFiles(files []ipc.File, changed func(ipc.Files)) (ipc.Files, func(), error) {
	w, now, err := watch.Files(files, func(now map[string]int) { changed(now) })
	if w == nil {
		return nil, nil, err
	}
	return now, w.Close, err
}

// followFiles joins the supervisor with the watch of certificates.
func followFiles(files ipc.Follow, changed func(ipc.Contents)) (func(), error) {
	sums := make(map[string]string, len(files))
	for path, sum := range files {
		sums[path] = string(sum)
	}
	f, err := watch.Contents(sums, func(now map[string][]byte) { changed(now) })
	if err != nil {
		return nil, err
	}
	return f.Close, nil
}

// countProcesses joins the supervisor with the census of processes.
func countProcesses(list []ipc.Program, changed func(ipc.Counts)) (ipc.Counts, func(), error) {
	c, now, err := census.Take(list, changed)
	if err != nil {
		return nil, nil, fmt.Errorf("track_process: %w", err)
	}
	return now, c.Close, nil
}

// absolute names the files so that a process in another directory finds them.
func (o Options) absolute() Options {
	abs := func(path string) string {
		if a, err := filepath.Abs(path); err == nil && path != "" {
			return a
		}
		return path
	}
	o.Keepalived, o.RunDir = abs(o.Keepalived), abs(o.RunDir)
	files := o.HAProxy
	o.HAProxy = nil
	for _, f := range files {
		o.HAProxy = append(o.HAProxy, abs(f))
	}
	return o
}

// named lists the configuration files.
func (o Options) named() []string {
	if o.Keepalived == "" {
		return o.HAProxy
	}
	return append([]string{o.Keepalived}, o.HAProxy...)
}

func hostName() string {
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "localhost"
}
