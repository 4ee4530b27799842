package privilege

import (
	"fmt"
	"os"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Switch is the environment variable that leaves every role unconfined when it
// is "off", to see whether a confinement is what stands in the way.
const Switch = "HERALD_CONFINE"

// Bounds are what a role needs once it serves. Whatever is not said here it is
// refused, with EPERM or EACCES: a role that asks for something unforeseen gets
// an error and goes on, it is never killed.
type Bounds struct {
	// NoFiles takes away every file but those that are open and those in Read.
	NoFiles bool
	// Read are files and directories that may still be opened for reading, in
	// the root directory of now. What is missing is passed over.
	Read []string
	// Raw allows raw and packet sockets beside those of TCP, UDP, unix and
	// netlink.
	Raw bool
}

// ProxyBounds are those of a proxy. What its configuration names (certificates,
// authorities, error files, lists) is in memory when it begins, and what
// changes of it comes through the parent, so no path of it is among them: the
// files are the C library's and Go's, for looking up names and the time zone.
func ProxyBounds() Bounds {
	return Bounds{NoFiles: true, Read: []string{"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services", "/etc/protocols",
		"/etc/localtime", "/usr/share/zoneinfo"}}
}

// VRRPBounds are those of a VRRP role. Its files are left to their permissions,
// as it owns none and sets values below /proc/sys/net.
func VRRPBounds() Bounds { return Bounds{Raw: true} }

// Confinement is what holds in a process beside its user and capabilities.
type Confinement struct {
	// Holds is a list for `herald status`: "no_new_privs, landlock 7, seccomp".
	Holds string
	// Note tells what the kernel does not have, for the log; or "".
	Note string
}

// Confine limits the process, every thread of it and for good, to b. It comes
// after Proxy or VRRP, which need what it takes away. What the kernel does not
// have is left out and told.
func Confine(b Bounds) Confinement {
	if kept != "" {
		return Confinement{}
	}
	var c Confinement
	if err := noNewPrivileges(); err != nil {
		return Confinement{Note: fmt.Sprintf("not confined: %v", err)}
	}
	holds, notes := []string{"no_new_privs"}, []string(nil)
	if os.Getenv(Switch) == "off" {
		return Confinement{Holds: holds[0], Note: "not confined: " + Switch + " is off"}
	}
	time.Now().Zone() // reads the zone's file, once and for all
	if b.NoFiles {
		abi, err := restrictFiles(b.Read)
		if err != nil {
			notes = append(notes, fmt.Sprintf("no Landlock, files are left to their permissions: %v", err))
		} else {
			holds = append(holds, fmt.Sprintf("landlock %d", abi))
		}
	}
	if err := filterCalls(b); err != nil {
		notes = append(notes, fmt.Sprintf("no filter of system calls: %v", err))
	} else {
		holds = append(holds, "seccomp")
	}
	c.Holds, c.Note = strings.Join(holds, ", "), strings.Join(notes, "; ")
	return c
}

// filterCalls refuses the system calls outside b to every thread there is and
// will be (seccomp(2)).
func filterCalls(b Bounds) error {
	if audit == 0 {
		return fmt.Errorf("not known for this kind of processor")
	}
	program, err := assembled(refusals(b, os.Getpid()))
	if err != nil {
		return err
	}
	return install(program)
}

// install puts a filter on all threads at once. SPEC_ALLOW: kernels before 5.16
// would else slow the whole process down against attacks of code it does not
// run.
func install(program []unix.SockFilter) error {
	fprog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	stuck, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC|unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, uintptr(unsafe.Pointer(&fprog)))
	switch {
	case errno != 0:
		return fmt.Errorf("seccomp: %w", errno)
	case stuck != 0:
		return fmt.Errorf("seccomp: thread %d has a filter of its own", stuck)
	}
	return nil
}
