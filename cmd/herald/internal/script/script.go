// Package script runs the commands a role declared, as the user it
// declared them for.
//
// It decides nothing about when: the role asks. It refuses to run as root
// what others could have changed, opens no shell of its own, gives a script
// no descriptor and a small environment, and leaves no process group running
// past its time.
//
//	c, err := script.Prepare(ipc.Script{Argv: []string{"/usr/bin/check"}, Timeout: time.Second})
//	if err != nil {
//		return err
//	}
//	result := c.Run(ctx)
package script

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/netns"
)

// grace is how long a script has between SIGTERM and SIGKILL
// (keepalived.conf(5), vrrp_script timeout).
const grace = 2 * time.Second

// DefaultUser runs scripts that name no user, where it exists
// (keepalived.conf(5), script_user).
const DefaultUser = "keepalived_script"

// searchPath is where a command without a slash is looked for, and the PATH
// of every script.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Command is a script that may be run. It is immutable.
type Command struct {
	path string
	argv []string
	env  []string
	who  *syscall.Credential // nil runs as this process
	time time.Duration
	// place is the network namespace, empty for that of this process.
	place string
}

// Prepare resolves the account and the path of s. The error says why it must
// not be run.
func Prepare(s ipc.Script) (*Command, error) {
	if len(s.Argv) == 0 {
		return nil, errors.New("there is no command")
	}
	u, who, err := account(s.User, s.Group)
	if err != nil {
		return nil, err
	}
	path, err := find(s.Argv[0])
	if err != nil {
		return nil, err
	}
	if who.Uid == 0 {
		if err := ownedByRoot(path); err != nil {
			return nil, fmt.Errorf("%w: it would run as root (script_user names another user)", err)
		}
	}
	c := &Command{path: path, argv: s.Argv, time: s.Timeout, place: s.NetNamespace,
		env: append([]string{"PATH=" + searchPath, "USER=" + u.Username, "HOME=" + u.HomeDir}, s.Env...)}
	if os.Geteuid() == 0 {
		c.who = who
	} else if int(who.Uid) != os.Geteuid() {
		return nil, fmt.Errorf("run as %s: herald is not root", u.Username)
	}
	return c, nil
}

// Run runs the script to its end or its time, in a process group of its own;
// more follows the arguments it was declared with.
func (c *Command) Run(ctx context.Context, more ...string) ipc.ScriptResult {
	began := time.Now()
	cmd := &exec.Cmd{Path: c.path, Args: slices.Concat(c.argv, more), Env: c.env, Dir: "/", SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Credential: c.who}}
	if err := netns.Do(c.place, cmd.Start); err != nil {
		return ipc.ScriptResult{Exit: -1, Error: err.Error(), Took: time.Since(began)}
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	timedOut := c.await(ctx, cmd.Process.Pid, ended)
	r := ipc.ScriptResult{Exit: cmd.ProcessState.ExitCode(), TimedOut: timedOut, Took: time.Since(began)}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		r.Signal = status.Signal().String()
	}
	return r
}

// await returns once the process has ended, with true when its time had to
// end it.
func (c *Command) await(ctx context.Context, group int, ended <-chan error) bool {
	var limit <-chan time.Time
	if c.time > 0 {
		t := time.NewTimer(c.time)
		defer t.Stop()
		limit = t.C
	}
	select {
	case <-ended:
		return false
	case <-limit:
	case <-ctx.Done():
	}
	syscall.Kill(-group, syscall.SIGTERM)
	// What the script started has the same time, whether or not the script
	// itself goes at once.
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-ended:
		if syscall.Kill(-group, 0) == nil {
			syscall.Kill(-group, syscall.SIGKILL)
		}
		return true
	case <-t.C:
	}
	syscall.Kill(-group, syscall.SIGKILL)
	<-ended
	return true
}

// account resolves user and group, by name or number.
func account(name, group string) (*user.User, *syscall.Credential, error) {
	if name == "" {
		name = "root"
		if _, err := user.Lookup(DefaultUser); err == nil {
			name = DefaultUser
		}
	}
	u, err := user.Lookup(name)
	if err != nil {
		if u, err = user.LookupId(name); err != nil {
			return nil, nil, fmt.Errorf("user %s does not exist", name)
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, nil, fmt.Errorf("user %s: %w", name, err)
	}
	gid := u.Gid
	if group != "" {
		g, err := user.LookupGroup(group)
		if err != nil {
			if g, err = user.LookupGroupId(group); err != nil {
				return nil, nil, fmt.Errorf("group %s does not exist", group)
			}
		}
		gid = g.Gid
	}
	who := &syscall.Credential{Uid: uint32(uid)}
	n, err := strconv.ParseUint(gid, 10, 32)
	if err != nil {
		return nil, nil, fmt.Errorf("group %s: %w", gid, err)
	}
	who.Gid = uint32(n)
	more, _ := u.GroupIds() // without the file of groups there are none
	for _, m := range more {
		if n, err := strconv.ParseUint(m, 10, 32); err == nil {
			who.Groups = append(who.Groups, uint32(n))
		}
	}
	return u, who, nil
}

// find returns the absolute path of a command.
func find(command string) (string, error) {
	candidates := []string{command}
	if filepath.Base(command) == command {
		candidates = nil
		for _, dir := range filepath.SplitList(searchPath) {
			candidates = append(candidates, filepath.Join(dir, command))
		}
	} else if !filepath.IsAbs(command) {
		return "", fmt.Errorf("%s: the path is not absolute", command)
	}
	for _, path := range candidates {
		info, err := os.Stat(path)
		switch {
		case err != nil:
		case !info.Mode().IsRegular():
			return "", fmt.Errorf("%s is not a regular file", path)
		case info.Mode()&0o111 == 0:
			return "", fmt.Errorf("%s is not executable", path)
		default:
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not found", command)
}

// ownedByRoot reports the first part of path, links followed, that somebody
// else than root could change.
func ownedByRoot(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("resolve %s: %w", path, err)
	}
	for part := real; ; part = filepath.Dir(part) {
		info, err := os.Lstat(part)
		if err != nil {
			return fmt.Errorf("check %s: %w", part, err)
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		switch {
		case !ok:
			return fmt.Errorf("check %s: no owner is known", part)
		case st.Uid != 0:
			return fmt.Errorf("%s belongs to user %d", part, st.Uid)
		case st.Mode&0o002 != 0, st.Mode&0o020 != 0 && st.Gid != 0:
			return fmt.Errorf("%s is writable by others than root", part)
		}
		if part == filepath.Dir(part) {
			return nil
		}
	}
}
