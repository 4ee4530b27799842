package privilege

import (
	"fmt"
	"math"
	"os"
	"os/user"
	"runtime/debug"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What the VRRP role runs with.
const (
	// roundRobin is the real-time priority: the lowest that precedes every
	// ordinary process.
	roundRobin = 1
	// anonymous is the user and group of the VRRP role where no account named
	// Account exists. The range is one no distribution assigns
	// (systemd.io/UIDS-GIDS: 1879048192 to 2147483647), so that no other
	// process may signal the role; 112 is VRRP's protocol number.
	anonymous = 2000000112
	// heapLimit is a soft limit: reaching it means collecting more often,
	// never failing.
	heapLimit = 64 << 20
)

// Account is the user the VRRP role becomes when it exists.
const Account = "herald"

// netCapabilities are what sockets of protocol 112, AF_PACKET and address
// changes need.
const netCapabilities = 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_NET_RAW

// VRRP makes the process one that is never late and can do little: real-time
// round robin, memory locked, a small heap; a user of its own with
// CAP_NET_ADMIN and CAP_NET_RAW and nothing else, on every thread. note tells
// what the system did not allow and the role can run without.
func VRRP() (note string, err error) {
	var notes []string
	debug.SetGCPercent(100)
	debug.SetMemoryLimit(heapLimit)
	if err := lockMemory(); err != nil {
		notes = append(notes, err.Error())
	}
	if err := realTime(); err != nil {
		notes = append(notes, err.Error())
	}
	if kept != "" {
		return strings.Join(append(notes, kept), "; "), nil
	}
	if os.Geteuid() != 0 {
		notes = append(notes, "not started as root: the user is left as it is")
		return strings.Join(notes, "; "), noNewPrivileges()
	}
	if err := emptyBounding(lastCapability()); err != nil {
		return "", err
	}
	if err := prctl("keep capabilities over the change of user", unix.PR_SET_KEEPCAPS, 1); err != nil {
		return "", err
	}
	uid, gid := account()
	if err := become(uid, gid); err != nil {
		// A user namespace without this number: root without its rights over
		// files is what remains.
		notes = append(notes, fmt.Sprintf("%v: the role stays user %d", err, os.Geteuid()))
	}
	if err := keepCapabilities(netCapabilities); err != nil {
		return "", err
	}
	return strings.Join(notes, "; "), noNewPrivileges()
}

// account returns whom the role becomes.
func account() (uid, gid int) {
	u, err := user.Lookup(Account)
	if err != nil {
		return anonymous, anonymous
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err1 != nil || err2 != nil || uid == 0 {
		return anonymous, anonymous
	}
	return uid, gid
}

// lockMemory keeps pages in memory once they were touched. MCL_ONFAULT: the
// runtime reserves far more address space than it uses. MCL_FUTURE needs a
// limit of its own: under a low one a later allocation would fail and end the
// process, as CAP_IPC_LOCK does not stay.
func lockMemory() error {
	limit := unix.Rlimit{Cur: math.MaxUint64, Max: math.MaxUint64}
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		if lock := unix.Mlockall(unix.MCL_CURRENT | unix.MCL_ONFAULT); lock == nil {
			return fmt.Errorf("only memory of the start is locked: raise RLIMIT_MEMLOCK: %w", err)
		}
		return fmt.Errorf("memory is not locked: raise RLIMIT_MEMLOCK: %w", err)
	}
	if err := unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT); err != nil {
		return fmt.Errorf("memory is not locked: mlockall: %w", err)
	}
	return nil
}

// realTime sets SCHED_RR on every thread; threads made later inherit it
// (sched(7)).
func realTime() error {
	priority := int32(roundRobin)
	return all("no real-time scheduling: set SCHED_RR", unix.SYS_SCHED_SETSCHEDULER, 0, unix.SCHED_RR, uintptr(unsafe.Pointer(&priority)), 0)
}
