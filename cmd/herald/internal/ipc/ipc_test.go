package ipc

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// connected returns both sides of a pair inside this process.
func connected(t *testing.T) (parent, child *Conn) {
	t.Helper()
	parent, file, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Dup(int(file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	child, err = adopt(fd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { parent.Close(); child.Close() })
	return parent, child
}

func TestAMessageArrivesWhole(t *testing.T) {
	parent, child := connected(t)
	// Larger than any socket buffer, so that both sides have to take turns.
	blob, _ := json.Marshal(bytes.Repeat([]byte("x"), 3<<20))
	sent := make(chan error, 1)
	go func() { sent <- child.Send(Message{Type: TypeStatus, ID: 7, Blob: blob}) }()
	got, err := parent.Receive()
	if err != nil {
		t.Fatal(err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if got.Type != TypeStatus || got.ID != 7 || !bytes.Equal(got.Blob, blob) {
		t.Errorf("want status 7 with %d bytes, got %s %d with %d", len(blob), got.Type, got.ID, len(got.Blob))
	}
}

// TestALentListenerStaysNonBlocking guards against os.File.Fd, which clears
// O_NONBLOCK on the open file that both processes share.
func TestALentListenerStaysNonBlocking(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	parent, child := connected(t)
	role := NewRole(child)
	answered := make(chan error, 1)
	go func() {
		m, err := parent.Receive()
		if err == nil && m.Type != TypeListen {
			err = errors.New("not a listen message: " + string(m.Type))
		}
		if err == nil {
			err = parent.Send(Message{Type: TypeLend, Counts: []int{1, 1}, Descriptors: []int{fd, fd}})
		}
		answered <- err
	}()
	fds, err := role.Listen([]Listener{{Key: "a", Sockets: 1}, {Key: "b", Sockets: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if len(fds) != 2 || len(fds[0]) != 1 || len(fds[1]) != 1 {
		t.Fatalf("want one descriptor for each of two listeners, got %v", fds)
	}
	for name, d := range map[string]int{"the parent's": fd, "the role's first": fds[0][0], "the role's second": fds[1][0]} {
		flags, err := unix.FcntlInt(uintptr(d), unix.F_GETFL, 0)
		if err != nil || flags&unix.O_NONBLOCK == 0 {
			t.Errorf("%s descriptor is blocking after the handover (flags %#x, %v)", name, flags, err)
		}
		closeOnExec, err := unix.FcntlInt(uintptr(d), unix.F_GETFD, 0)
		if err != nil || closeOnExec&unix.FD_CLOEXEC == 0 {
			t.Errorf("%s descriptor would be inherited by a script", name)
		}
	}
	CloseAll([]int{fds[0][0], fds[1][0]})
}

func TestMoreDescriptorsThanOneMessageCarriesArriveInOrder(t *testing.T) {
	parent, child := connected(t)
	const n = maxDescriptors + 5
	var fds []int
	for i := range n {
		l, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(l)
		if err := unix.Bind(l, &unix.SockaddrUnix{Name: "@herald-ipc-test-" + strconv.Itoa(unix.Getpid()) + "-" + strconv.Itoa(i)}); err != nil {
			t.Fatal(err)
		}
		fds = append(fds, l)
	}
	if err := parent.Send(Message{Type: TypeLend, Descriptors: fds}); err != nil {
		t.Fatal(err)
	}
	m, err := child.Receive()
	if err != nil {
		t.Fatal(err)
	}
	defer CloseAll(m.Descriptors)
	if len(m.Descriptors) != n {
		t.Fatalf("want %d descriptors, got %d", n, len(m.Descriptors))
	}
	for i, fd := range m.Descriptors {
		want, _ := unix.Getsockname(fds[i])
		got, err := unix.Getsockname(fd)
		if err != nil || got.(*unix.SockaddrUnix).Name != want.(*unix.SockaddrUnix).Name {
			t.Fatalf("descriptor %d: want %v, got %v (%v)", i, want, got, err)
		}
	}
}

func TestTheDeathOfTheParentClosesTheCommands(t *testing.T) {
	parent, child := connected(t)
	role := NewRole(child)
	if err := parent.Send(Message{Type: TypeStart}); err != nil {
		t.Fatal(err)
	}
	parent.Close()
	if m := <-role.Commands(); m.Type != TypeStart {
		t.Errorf("want the message sent before the end, got %q", m.Type)
	}
	if m, open := <-role.Commands(); open {
		t.Errorf("want the commands closed, got %q", m.Type)
	}
	if _, err := role.Listen([]Listener{{Key: "a"}}); err == nil {
		t.Error("listening without a parent succeeds")
	}
}

func TestAnOversizedMessageIsRefusedByBothSides(t *testing.T) {
	parent, child := connected(t)
	go child.socket.Write([]byte{0xff, 0xff, 0xff, 0xff, 0})
	if _, err := parent.Receive(); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("want a refusal that names the size, got %v", err)
	}
}

func TestGarbageIsAnErrorNotAPanic(t *testing.T) {
	parent, child := connected(t)
	go child.socket.Write([]byte{0, 0, 0, 3, 0, '{', '!', '}'})
	if _, err := parent.Receive(); err == nil {
		t.Error("want an error for a body that is not JSON")
	}
}

func TestAClosedConnectionIsTheEnd(t *testing.T) {
	if err := gone(net.ErrClosed); err != io.EOF {
		t.Errorf("want io.EOF, got %v", err)
	}
}
