package sockets

import (
	"golang.org/x/sys/unix"

	"herald/cmd/herald/internal/ipc"
)

// fastOpenQueue is how many connections may wait that sent data with their
// first segment.
const fastOpenQueue = 4096

// deferSeconds is how long the system waits for the first bytes of a
// connection before it hands it over without any.
const deferSeconds = 1

// usualMSS is what mss takes its negative value off: that of Ethernet without
// options.
const usualMSS = 1460

// tune sets what a bind line asks of the system.
func tune(on func(name string, level, option, value int) error, s ipc.Socket) error {
	if s.FastOpen {
		if err := on("TCP_FASTOPEN", unix.IPPROTO_TCP, unix.TCP_FASTOPEN, fastOpenQueue); err != nil {
			return err
		}
	}
	if s.DeferAccept {
		if err := on("TCP_DEFER_ACCEPT", unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, deferSeconds); err != nil {
			return err
		}
	}
	if mss := s.MSS; mss != 0 {
		if mss < 0 {
			mss += usualMSS
		}
		if err := on("TCP_MAXSEG", unix.IPPROTO_TCP, unix.TCP_MAXSEG, mss); err != nil {
			return err
		}
	}
	if s.UserTimeout > 0 {
		return on("TCP_USER_TIMEOUT", unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, s.UserTimeout)
	}
	return nil
}
