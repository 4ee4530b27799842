// Package netns enters network namespaces that have a name (ip-netns(8)).
//
// A network namespace belongs to a thread. Enter starts the program again, so
// that every thread of it agrees; Do borrows one thread that ends afterwards.
//
//	if netns.Entered() != "red" {
//		return netns.Enter("red") // returns only when it failed
//	}
//	err := netns.Do("red", func() error { return exec.Command("ip", "addr").Start() })
package netns

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// variable carries the name from one process image to the next.
const variable = "HERALD_NETNS"

// dir is where names are (ip-netns(8)).
const dir = "/run/netns"

// Entered returns the namespace Enter brought this process into, empty for
// none.
func Entered() string { return os.Getenv(variable) }

// Forget lets processes started from now on find Entered empty.
func Forget() { os.Unsetenv(variable) }

// Enter replaces the process by another start of this program in the
// namespace, with the same command line and environment; it returns only when
// that failed. It needs CAP_SYS_ADMIN.
func Enter(name string) error {
	runtime.LockOSThread() // never unlocked: the process is replaced or ends
	err := set(name)
	if err == nil {
		err = syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), variable+"="+name))
	}
	return fmt.Errorf("enter network namespace %s: %w", name, err)
}

// Do calls f on a thread that is in the namespace, and returns its error. A
// process f starts is there too. An empty name is the namespace of the
// process.
func Do(name string, f func() error) error {
	if name == "" {
		return f()
	}
	done := make(chan error, 1)
	go within(name, f, done)
	return <-done
}

// within is the goroutine of Do; the runtime ends its thread with it, as it
// is still locked.
func within(name string, f func() error, done chan<- error) {
	runtime.LockOSThread()
	if err := set(name); err != nil {
		done <- fmt.Errorf("enter network namespace %s: %w", name, err)
		return
	}
	done <- f()
}

// set moves the calling thread.
func set(name string) error {
	if name != filepath.Base(name) || name == "." || name == ".." {
		return fmt.Errorf("%q is no name in %s", name, dir)
	}
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Setns(int(f.Fd()), unix.CLONE_NEWNET)
}
