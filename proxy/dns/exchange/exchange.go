// Package exchange carries one question to one nameserver and what it answers
// back. It understands neither.
package exchange

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// maxMessage is the longest message there is (RFC 1035 section 4.2.2).
const maxMessage = 65535

// Ask sends question to address ("192.0.2.53:53", or a path) over network
// ("udp", "tcp", "unixgram") and answers the first message that wanted says is
// the answer; others are dropped. Every call has a socket of its own, connected
// to the nameserver: the port is one by chance, and the kernel lets nobody else
// answer (RFC 5452 section 9). It gives up when ctx ends.
func Ask(ctx context.Context, network, address string, question []byte, wanted func(raw []byte) bool) ([]byte, error) {
	var d net.Dialer
	if network == "unixgram" {
		d.Control = nameless
	}
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if network == "tcp" {
		return overStream(conn, question, wanted)
	}
	if _, err := conn.Write(question); err != nil {
		return nil, err
	}
	buf := make([]byte, maxMessage)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return nil, err
		}
		if wanted(buf[:n]) {
			return buf[:n], nil
		}
	}
}

// nameless lets the kernel choose a name: without one nobody can answer (unix(7),
// autobind).
func nameless(_, _ string, c syscall.RawConn) (err error) {
	if failed := c.Control(func(fd uintptr) { err = syscall.Bind(int(fd), &syscall.SockaddrUnix{}) }); failed != nil {
		return failed
	}
	return os.NewSyscallError("bind", err)
}

// overStream puts the length before each message.
func overStream(conn net.Conn, question []byte, wanted func(raw []byte) bool) ([]byte, error) {
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(question))), question...)); err != nil {
		return nil, err
	}
	for {
		var head [2]byte
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return nil, err
		}
		raw := make([]byte, binary.BigEndian.Uint16(head[:]))
		if _, err := io.ReadFull(conn, raw); err != nil {
			return nil, err
		}
		if wanted(raw) {
			return raw, nil
		}
	}
}
