package census

import (
	"encoding/binary"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// The process connector: linux/connector.h, linux/cn_proc.h.
const (
	procIndex  = 1 // CN_IDX_PROC, CN_VAL_PROC, and the multicast group
	listen     = 1 // PROC_CN_MCAST_LISTEN
	headerSize = unix.SizeofNlMsghdr + 20
	eventSize  = 16 // of a proc_event before what differs

	happenedNone = 0
	happenedFork = 1
	happenedExec = 2
	happenedComm = 0x200
	happenedExit = 0x80000000
)

// connect asks the kernel to tell of births and deaths. It is refused outside
// the first network namespace, and outside the first process namespace never
// answered.
func connect(question uint32) (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_CONNECTOR)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	// A burst of forks has to fit; what does not makes us look for ourselves.
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 1<<20)
	ask := make([]byte, headerSize+4)
	order := binary.NativeEndian
	order.PutUint32(ask[0:], uint32(len(ask)))
	order.PutUint16(ask[4:], unix.NLMSG_DONE)
	order.PutUint32(ask[16:], procIndex)
	order.PutUint32(ask[20:], procIndex)
	order.PutUint32(ask[28:], question) // the kernel answers with one more
	order.PutUint16(ask[32:], 4)
	order.PutUint32(ask[headerSize:], listen)
	err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: procIndex})
	if err == nil {
		err = unix.Sendto(fd, ask, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	}
	if err != nil {
		unix.Close(fd)
		return -1, os.NewSyscallError("process connector", err)
	}
	return fd, nil
}

// event is one word of the connector.
type event struct {
	what        uint32
	pid, thread int // thread is pid of all but threads
	parent      int // of a fork
	// answered is the question an answer is to, failed what it says.
	answered, failed uint32
}

// decode reads one message; false means that it says nothing to us.
func decode(b []byte) (event, bool) {
	order := binary.NativeEndian
	if len(b) < headerSize+eventSize+8 {
		return event{}, false
	}
	e := event{what: order.Uint32(b[headerSize:]), answered: order.Uint32(b[28:]) - 1}
	data := b[headerSize+eventSize:]
	at := func(i int) int { return int(int32(order.Uint32(data[4*i:]))) }
	switch e.what {
	case happenedNone:
		e.failed = order.Uint32(data)
	case happenedFork:
		if len(data) < 16 {
			return event{}, false
		}
		e.parent, e.thread, e.pid = at(1), at(2), at(3)
	case happenedExec, happenedComm, happenedExit:
		e.thread, e.pid = at(0), at(1)
	default:
		return event{}, false
	}
	return e, true
}

// atOnce bounds what is read before anything else has its turn.
const atOnce = 1024

// hear reads what the connector has to say. It reports whether something was
// lost.
func hear(fd int, buf []byte, each func(event)) (lost bool, err error) {
	for range atOnce {
		n, from, err := unix.Recvfrom(fd, buf, 0)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return lost, nil
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ENOBUFS):
			lost = true
			continue
		case err != nil:
			return lost, os.NewSyscallError("recvfrom", err)
		}
		// Only the kernel is believed.
		if a, ok := from.(*unix.SockaddrNetlink); !ok || a.Pid != 0 {
			continue
		}
		if e, ok := decode(buf[:n]); ok {
			each(e)
		}
	}
	return lost, nil
}
