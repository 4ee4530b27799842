package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// answerTimeout bounds the wait for an answer, which is there when the request
// has been sent: the kernel works on requests while they are sent.
const answerTimeout = 5 // seconds

// orders is a socket that carries many requests of rtnetlink in one system
// call and only the last of them asks for an answer; refusals are told in any
// case. What a library does, a request, an answer and a look at the device for
// each address, costs four times as much.
type orders struct {
	fd    int
	out   []byte
	in    []byte
	seq   uint32 // of the first request
	count int
	last  int // where the last request begins in out
}

func openOrders() (*orders, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	if err == nil {
		err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: answerTimeout})
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	// A refusal need not repeat the request.
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1)
	return &orders{fd: fd, in: make([]byte, 4096)}, nil
}

func (o *orders) close() error { return unix.Close(o.fd) }

// index returns the number of a device.
func (o *orders) index(device string) (int, error) {
	request, err := unix.NewIfreq(device)
	if err == nil {
		err = unix.IoctlIfreq(o.fd, unix.SIOCGIFINDEX, request)
	}
	if err != nil {
		return 0, fmt.Errorf("find the interface: %w", err)
	}
	return int(request.Uint32()), nil
}

// begin forgets the requests sent.
func (o *orders) begin() {
	o.seq += uint32(o.count)
	o.out, o.count = o.out[:0], 0
}

// add puts one request behind the others; body appends what follows the
// header (struct nlmsghdr: length, type, flags, sequence, port).
func (o *orders) add(kind, flags uint16, body func([]byte) []byte) {
	o.last = len(o.out)
	b := appendUint32(o.out, 0)
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST|flags)
	b = appendUint32(b, o.seq+uint32(o.count))
	b = body(appendUint32(b, 0))
	binary.NativeEndian.PutUint32(b[o.last:], uint32(len(b)-o.last))
	o.out, o.count = b, o.count+1
}

// send has the kernel carry the requests out, one after the other, and returns
// what it said to each: 0 is done.
func (o *orders) send() ([]syscall.Errno, error) {
	if o.count == 0 {
		return nil, nil
	}
	flags := o.out[o.last+6:]
	binary.NativeEndian.PutUint16(flags, binary.NativeEndian.Uint16(flags)|unix.NLM_F_ACK)
	if err := unix.Sendto(o.fd, o.out, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, err
	}
	results := make([]syscall.Errno, o.count)
	for {
		n, _, err := unix.Recvfrom(o.fd, o.in, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("no answer: %w", err)
		}
		if o.read(o.in[:n], results) {
			return results, nil
		}
	}
}

// read notes the answers of one datagram and reports whether the last request
// is among them. Answers to earlier calls are old.
func (o *orders) read(b []byte, results []syscall.Errno) (all bool) {
	for len(b) >= unix.SizeofNlMsghdr+4 {
		size := int(binary.NativeEndian.Uint32(b))
		if size < unix.SizeofNlMsghdr+4 || size > len(b) {
			return all
		}
		i := binary.NativeEndian.Uint32(b[8:]) - o.seq
		if binary.NativeEndian.Uint16(b[4:]) == unix.NLMSG_ERROR && i < uint32(len(results)) {
			results[i] = syscall.Errno(-int32(binary.NativeEndian.Uint32(b[16:])))
			all = all || int(i) == len(results)-1
		}
		b = b[min((size+3)&^3, len(b)):]
	}
	return all
}

func appendUint32(b []byte, v uint32) []byte { return binary.NativeEndian.AppendUint32(b, v) }

// appendAttr writes one attribute (struct rtattr), padded to four bytes.
func appendAttr(b []byte, kind uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(4+len(value)))
	b = append(binary.NativeEndian.AppendUint16(b, kind), value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}
