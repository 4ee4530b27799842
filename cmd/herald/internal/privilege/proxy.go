package privilege

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Identity is who a proxy role becomes.
type Identity struct {
	UID, GID int    // -1 leaves it
	Chroot   string // empty leaves the root directory
	// Files is how many descriptors the process wants to be able to hold
	// (RLIMIT_NOFILE); 0 asks for no more than there are.
	Files uint64
	// Raw keeps CAP_NET_RAW, for sockets with addresses of others (usesrc).
	Raw bool
}

// Proxy gives up everything: the root directory becomes Chroot, the process
// the user and group of id without supplementary groups, and no capability
// but that of id.Raw stays, and none can come back. note tells what was not possible and is no danger.
// Without being root it only sets no_new_privs, and says so.
func Proxy(id Identity) (note string, err error) {
	if kept != "" {
		return kept, nil
	}
	if os.Geteuid() != 0 {
		return "not started as root: user, group and chroot are left as they are", noNewPrivileges()
	}
	if id.Files > 0 {
		note = raiseFiles(id.Files)
	}
	last := lastCapability()
	if id.Chroot != "" {
		if err := syscall.Chroot(id.Chroot); err != nil {
			return note, fmt.Errorf("chroot %s: %w", id.Chroot, err)
		}
		if err := os.Chdir("/"); err != nil {
			return note, fmt.Errorf("chdir into chroot %s: %w", id.Chroot, err)
		}
	}
	if err := emptyBounding(last); err != nil {
		return note, err
	}
	keep := uint64(0)
	if id.Raw {
		keep = 1 << unix.CAP_NET_RAW
		if err := prctl("keep capabilities over the change of user", unix.PR_SET_KEEPCAPS, 1); err != nil {
			return note, err
		}
	}
	if err := become(id.UID, id.GID); err != nil {
		return note, err
	}
	if err := keepCapabilities(keep); err != nil {
		return note, err
	}
	return note, noNewPrivileges()
}

// raiseFiles raises the limit of open descriptors to n when it is lower.
func raiseFiles(n uint64) (note string) {
	var now unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &now); err != nil || now.Cur >= n {
		return ""
	}
	want := unix.Rlimit{Cur: n, Max: max(now.Max, n)}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &want); err != nil {
		return fmt.Sprintf("%d descriptors wanted, %d available: %v", n, now.Cur, err)
	}
	return ""
}
