// Package notify tells the service manager how the daemon is (sd_notify(3)):
// one datagram to the socket named by NOTIFY_SOCKET.
//
// It sends and decides nothing; without the variable it does nothing.
//
//	send := notify.To(os.Getenv("NOTIFY_SOCKET"))
//	send("READY=1")
package notify

import (
	"net"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// To returns a function that sends one state to the socket at path; a path
// that begins with @ is abstract. RELOADING=1 gets the monotonic time the
// protocol asks for beside it. Errors are dropped: nothing could be done.
func To(path string) func(state string) {
	if path == "" {
		return func(string) {}
	}
	return func(state string) {
		c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			return
		}
		defer c.Close()
		if strings.HasPrefix(state, "RELOADING=1") {
			var now unix.Timespec
			if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) == nil {
				state += "\nMONOTONIC_USEC=" + strconv.FormatInt(now.Nano()/1000, 10)
			}
		}
		c.Write([]byte(state))
	}
}
