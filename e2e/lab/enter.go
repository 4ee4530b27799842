package lab

import (
	"context"
	"fmt"
	"net"
	"runtime"

	"golang.org/x/sys/unix"
)

// on runs f on a thread of its own that has entered the node's namespaces in
// want (CLONE_NEW flags). The thread ends with f, so nothing leaks back into
// the program; sockets and processes f made stay in the node.
func (n *Node) on(want int, f func() error) error {
	result := make(chan error, 1)
	go n.visit(want, f, result)
	return <-result
}

// visit never unlocks its thread: the runtime ends it, namespaces and all.
func (n *Node) visit(want int, f func() error, result chan<- error) {
	runtime.LockOSThread()
	// A thread may change its mount namespace only when it shares its root
	// and working directory with no other (setns(2)).
	if want&unix.CLONE_NEWNS != 0 {
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			result <- fmt.Errorf("unshare the working directory: %w", err)
			return
		}
	}
	for _, s := range namespaces {
		if want&s.flag == 0 {
			continue
		}
		if err := unix.Setns(int(n.ns[s.flag].Fd()), s.flag); err != nil {
			result <- fmt.Errorf("enter %s namespace of %s: %w", s.file, n.name, err)
			return
		}
	}
	result <- f()
}

// everything is the flags of all namespaces of a node.
const everything = unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC

// InNetwork runs f where sockets belong to the node. A socket keeps its
// network for life, so f may hand it out.
func (n *Node) InNetwork(f func() error) error { return n.on(unix.CLONE_NEWNET, f) }

// DialContext connects from the node, as net.Dialer.DialContext does from the
// machine. The address must be a literal.
func (n *Node) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	var conn net.Conn
	err := n.InNetwork(func() (err error) {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, addr)
		return err
	})
	return conn, err
}

// DialUnix connects to a Unix socket of the node by its path there, through
// /proc, so that the path may be longer than the 107 bytes of an address.
func (n *Node) DialUnix(path string) (net.Conn, error) {
	var conn net.Conn
	err := n.on(unix.CLONE_NEWNS|unix.CLONE_NEWNET, func() (err error) {
		conn, err = net.Dial("unix", path)
		return err
	})
	return conn, err
}
