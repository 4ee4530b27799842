package tlsconn

import (
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"herald/proxy/loop"
)

// wire is a Conn as crypto/tls sees it: the net.Conn below the records.
type wire Conn

// errLater tells crypto/tls that nothing has arrived.
type errLater struct{}

func (errLater) Error() string   { return "nothing has arrived" }
func (errLater) Timeout() bool   { return false }
func (errLater) Temporary() bool { return true }

// Read gives crypto/tls what has been received.
func (t *wire) Read(p []byte) (int, error) {
	if t.shake != nil {
		return t.shake.read(p)
	}
	if len(t.feed) == 0 && len(t.kept) > 0 {
		t.feed = t.kept
	}
	if len(t.feed) == 0 {
		if t.s.Can()&loop.Readable == 0 {
			return 0, errLater{}
		}
		buf := t.loop.cipherBuffer()
		n, errno := t.s.RawRecv(buf[:min(len(buf), t.want+1<<10)])
		switch {
		case errno == unix.EAGAIN:
			return 0, errLater{}
		case errno != 0:
			return 0, errno
		case n == 0:
			return 0, io.EOF
		}
		t.feed = buf[:n]
	}
	n := copy(p, t.feed)
	t.feed = t.feed[n:]
	if len(t.feed) == 0 && t.kept != nil {
		t.loop.buffers.Give(t.kept)
		t.kept, t.feed = nil, nil
	}
	return n, nil
}

// Write takes a record, to be sent when crypto/tls is done.
func (t *wire) Write(p []byte) (int, error) {
	if t.shake != nil {
		return t.shake.write(p)
	}
	t.loop.sealed = append(t.loop.sealed, p...)
	return len(p), nil
}

// Close is for the socket's owner to do.
func (t *wire) Close() error { return nil }

// LocalAddr is asked for by nobody.
func (t *wire) LocalAddr() net.Addr { return noAddr{} }

// RemoteAddr is what sessions with servers are kept by that are asked for no
// name.
func (t *wire) RemoteAddr() net.Addr { return noAddr{} }

// SetDeadline does nothing: loops keep the deadlines.
func (t *wire) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (t *wire) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (t *wire) SetWriteDeadline(time.Time) error { return nil }

// noAddr is the address of a connection whose address matters to nobody.
type noAddr struct{}

func (noAddr) Network() string { return "tcp" }
func (noAddr) String() string  { return "" }
