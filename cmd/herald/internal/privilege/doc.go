// Package privilege takes from a role process what it no longer needs, for
// every thread of it, in the process itself and for good.
//
// It decides no policy but the two that docs/design/processes.md describes,
// and it gives nothing back: after a call there is no way to root, not even by
// executing a setuid program. It needs a build without cgo, where
// syscall.AllThreadsSyscall reaches every thread.
//
//	note, err := privilege.Proxy(privilege.Identity{UID: 103, GID: 106, Chroot: "/var/lib/haproxy"})
//	if err != nil {
//		return fmt.Errorf("give up privileges: %w", err)
//	}
//	note, err = privilege.VRRP() // in the other role
//	log(note)                    // what the system did not allow, or ""
package privilege
