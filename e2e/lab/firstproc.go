package lab

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// nodeCommand is the hidden subcommand a node's first process runs.
const nodeCommand = "node"

// Places of the lab inside a node.
const (
	labDir  = "/run/lab"
	logFile = labDir + "/log"
)

// Program returns the path at which every node sees a host file given in
// Spec.Programs.
func Program(host string) string { return filepath.Join(labDir, filepath.Base(host)) }

// firstProcess is process 1 of a node: it makes the mounts, keeps the log,
// reaps orphans, and on SIGUSR1 kills everything else at once. It ends when
// its standard input ends, that is with the process that built the lab,
// unless it was told to stay.
func firstProcess(in io.Reader, out *os.File) error {
	if os.Getpid() != 1 {
		return fmt.Errorf("%s is started by the lab in namespaces of its own", nodeCommand)
	}
	var o order
	dec := json.NewDecoder(in)
	if err := dec.Decode(&o); err != nil {
		return err
	}
	signals := make(chan os.Signal, 64)
	signal.Notify(signals, unix.SIGCHLD, unix.SIGUSR1)
	if err := furnish(o); err != nil {
		fmt.Fprintln(out, err)
		return err
	}
	if err := keepLog("/dev/log", "/var/lib/haproxy/dev/log"); err != nil {
		fmt.Fprintln(out, err)
		return err
	}
	fmt.Fprintln(out, "ready")
	out.Close()
	over := make(chan struct{})
	if !o.Detached {
		go endWith(dec.Buffered(), in, over)
	}
	for {
		select {
		case <-over:
			return nil
		case s := <-signals:
			if s == unix.SIGUSR1 {
				unix.Kill(-1, unix.SIGKILL) // all of this namespace but process 1
			}
			reap()
		}
	}
}

// endWith closes over when the builder's end of the pipe is closed.
func endWith(rest, in io.Reader, over chan<- struct{}) {
	io.Copy(io.Discard, io.MultiReader(rest, in))
	close(over)
}

// reap collects every child that has ended; orphans become ours.
func reap() {
	for {
		if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); pid <= 0 || err != nil {
			return
		}
	}
}

// furnish gives the node its name, its mounts and its kernel settings.
func furnish(o order) error {
	if err := unix.Sethostname([]byte(o.Name)); err != nil {
		return fmt.Errorf("set host name: %w", err)
	}
	// Programs are opened before the directory they may be in is covered.
	opened := map[string]*os.File{}
	for _, p := range o.Programs {
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		opened[Program(p)] = f
	}
	if err := mountOwn(); err != nil {
		return err
	}
	for at, f := range opened {
		if err := os.WriteFile(at, nil, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), at, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("bind %s: %w", at, err)
		}
	}
	if err := completeAccounts(); err != nil {
		return err
	}
	return setKernel(o.Sysctl)
}

// mountOwn covers what a node has of its own: first private propagation, so
// that nothing of it reaches the machine.
func mountOwn() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	const upper, work = labDir + "/etc", labDir + "/etc.work"
	steps := []struct {
		fs, at, data string
		dirs         []string
	}{
		{"proc", "/proc", "", nil},
		{"sysfs", "/sys", "", nil},
		{"tmpfs", "/run", "mode=755", []string{labDir, upper, work, "/run/lock", "/run/haproxy"}},
		{"tmpfs", "/tmp", "mode=1777", nil},
		{"overlay", "/etc", "lowerdir=/etc,upperdir=" + upper + ",workdir=" + work, []string{"/etc/haproxy/errors", "/etc/keepalived"}},
		{"tmpfs", "/dev", "mode=755", []string{"/dev/shm", "/dev/pts"}},
		{"tmpfs", "/dev/shm", "mode=1777", nil},
	}
	if _, err := os.Stat("/var/lib/haproxy"); err == nil {
		steps = append(steps, struct {
			fs, at, data string
			dirs         []string
		}{"tmpfs", "/var/lib/haproxy", "mode=755", []string{"/var/lib/haproxy/dev"}})
	}
	for _, s := range steps {
		if err := unix.Mount(s.fs, s.at, s.fs, 0, s.data); err != nil {
			return fmt.Errorf("mount %s on %s: %w", s.fs, s.at, err)
		}
		for _, d := range s.dirs {
			if err := os.MkdirAll(d, 0o755); err != nil {
				return err
			}
		}
	}
	return makeDevices()
}

// makeDevices fills /dev with what programs expect there; major and minor
// numbers are those of Documentation/admin-guide/devices.txt.
func makeDevices() error {
	for name, minor := range map[string]uint32{"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9} {
		at := "/dev/" + name
		if err := unix.Mknod(at, unix.S_IFCHR|0o666, int(unix.Mkdev(1, minor))); err != nil {
			return fmt.Errorf("make %s: %w", at, err)
		}
		if err := os.Chmod(at, 0o666); err != nil {
			return err
		}
	}
	return os.Symlink("/proc/self/fd", "/dev/fd")
}

// completeAccounts makes the user and the error pages the published files
// name exist on a machine that has no haproxy package.
func completeAccounts() error {
	passwd, err := os.ReadFile("/etc/passwd")
	if err != nil {
		return err
	}
	if !strings.Contains(string(passwd), "\nhaproxy:") {
		passwd = append(passwd, "haproxy:x:888:888::/var/lib/haproxy:/usr/sbin/nologin\n"...)
		group, err := os.ReadFile("/etc/group")
		if err != nil {
			return err
		}
		if err := os.WriteFile("/etc/passwd", passwd, 0o644); err != nil {
			return err
		}
		if err := os.WriteFile("/etc/group", append(group, "haproxy:x:888:\n"...), 0o644); err != nil {
			return err
		}
	}
	for _, code := range []int{400, 403, 408, 500, 502, 503, 504} {
		at := fmt.Sprintf("/etc/haproxy/errors/%d.http", code)
		if _, err := os.Stat(at); err == nil {
			continue
		}
		page := fmt.Sprintf("HTTP/1.0 %d Refused\r\nCache-Control: no-cache\r\nConnection: close\r\nContent-Type: text/html\r\n\r\n<html><body><h1>%d</h1></body></html>\n", code, code)
		if err := os.WriteFile(at, []byte(page), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// setKernel puts the settings a host of this kind has by default, whatever
// the machine's own are, then those asked for.
func setKernel(extra map[string]string) error {
	settings := map[string]string{
		"net.ipv4.conf.all.rp_filter": "0", "net.ipv4.conf.default.rp_filter": "0",
		"net.ipv4.conf.all.arp_ignore": "0", "net.ipv4.conf.all.arp_announce": "0",
		"net.ipv4.ip_forward": "0", "net.ipv4.ip_nonlocal_bind": "0",
		"net.ipv4.ping_group_range": "0 2147483647",
	}
	for k, v := range extra {
		settings[k] = v
	}
	for k, v := range settings {
		if err := os.WriteFile("/proc/sys/"+strings.ReplaceAll(k, ".", "/"), []byte(v), 0o644); err != nil {
			return fmt.Errorf("set %s: %w", k, err)
		}
	}
	return nil
}

// keepLog answers the given socket paths and appends what arrives to the
// node's log file, one line per datagram: nanoseconds, socket, text.
func keepLog(paths ...string) error {
	file, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	for _, p := range paths {
		if _, err := os.Stat(filepath.Dir(p)); err != nil {
			continue
		}
		c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: p, Net: "unixgram"})
		if err != nil {
			return err
		}
		if err := os.Chmod(p, 0o666); err != nil {
			return err
		}
		c.SetReadBuffer(4 << 20)
		go record(c, p, file)
	}
	return nil
}

func record(c *net.UnixConn, from string, to io.Writer) {
	buf := make([]byte, 64<<10)
	for {
		k, err := c.Read(buf)
		if err != nil {
			return
		}
		text := strings.ReplaceAll(strings.TrimRight(string(buf[:k]), "\n\x00"), "\n", " ")
		fmt.Fprintf(to, "%d\t%s\t%s\n", time.Now().UnixNano(), from, text)
	}
}

// parseLogLine reads what record wrote.
func parseLogLine(line string) (LogLine, bool) {
	f := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
	if len(f) != 3 {
		return LogLine{}, false
	}
	ns, err := strconv.ParseInt(f[0], 10, 64)
	return LogLine{time.Unix(0, ns), f[1], f[2]}, err == nil
}
