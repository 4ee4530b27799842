package privilege

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// errCgo is returned where threads are the C library's: the system calls
// below would reach only one of them.
var errCgo = errors.New("not possible in a build with cgo (build with CGO_ENABLED=0)")

// all makes a system call on every thread. Its outcome must be the same on
// each; the runtime ends the process otherwise.
func all(what string, trap, a1, a2, a3, a4 uintptr) error {
	_, _, errno := syscall.AllThreadsSyscall6(trap, a1, a2, a3, a4, 0, 0)
	switch errno {
	case 0:
		return nil
	case syscall.ENOTSUP:
		return fmt.Errorf("%s: %w", what, errCgo)
	}
	return fmt.Errorf("%s: %w", what, errno)
}

func prctl(what string, option, arg uintptr) error {
	return all(what, unix.SYS_PRCTL, option, arg, 0, 0)
}

// lastCapability is the highest the running kernel knows. It is read before
// chroot.
func lastCapability() int {
	raw, err := os.ReadFile("/proc/sys/kernel/cap_last_cap")
	if err == nil {
		if n, err := strconv.Atoi(strings.TrimSpace(string(raw))); err == nil {
			return n
		}
	}
	return unix.CAP_LAST_CAP
}

// emptyBounding makes sure that no program executed later gains a capability.
// It needs CAP_SETPCAP, so it comes before the identity changes.
func emptyBounding(last int) error {
	for c := range last + 1 {
		// A container may have taken it before; dropping twice is fine.
		if err := prctl(fmt.Sprintf("drop capability %d from the bounding set", c), unix.PR_CAPBSET_DROP, uintptr(c)); err != nil {
			return err
		}
	}
	return nil
}

// keepCapabilities leaves exactly those in mask (bits by number) permitted
// and effective, and none inheritable or ambient.
func keepCapabilities(mask uint64) error {
	if err := all("clear ambient capabilities", unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0); err != nil {
		return err
	}
	header := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3} // pid 0: the calling thread
	data := &[2]unix.CapUserData{
		{Effective: uint32(mask), Permitted: uint32(mask)},
		{Effective: uint32(mask >> 32), Permitted: uint32(mask >> 32)},
	}
	return all("set capabilities", unix.SYS_CAPSET, uintptr(unsafe.Pointer(header)), uintptr(unsafe.Pointer(data)), 0, 0)
}

// become changes the user and group of every thread, real, effective and
// saved, and leaves all supplementary groups.
func become(uid, gid int) error {
	if err := all("leave supplementary groups", unix.SYS_SETGROUPS, 0, 0, 0, 0); err != nil {
		return err
	}
	if gid >= 0 {
		if err := all(fmt.Sprintf("set group %d", gid), unix.SYS_SETRESGID, uintptr(gid), uintptr(gid), uintptr(gid), 0); err != nil {
			return err
		}
	}
	if uid >= 0 {
		if err := all(fmt.Sprintf("set user %d", uid), unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid), 0); err != nil {
			return err
		}
	}
	return nil
}

// noNewPrivileges makes setuid programs and file capabilities mean nothing to
// this process (prctl(2) PR_SET_NO_NEW_PRIVS).
func noNewPrivileges() error {
	return prctl("set no_new_privs", unix.PR_SET_NO_NEW_PRIVS, 1)
}
