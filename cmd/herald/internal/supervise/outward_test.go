package supervise

import (
	"context"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"herald/cmd/herald/internal/ipc"
)

func TestAProxyGetsSocketsOfTheNamespacesItNamedBefore(t *testing.T) {
	h := newHost(t, func(h *host, _ *Options) {
		h.outward = func(o ipc.Outward) ([]int, error) {
			f, err := os.Open("/dev/null")
			if err != nil {
				return nil, err
			}
			defer f.Close()
			fd, err := unix.Dup(int(f.Fd()))
			return []int{fd}, err
		}
		h.behave = func(a *actor) string {
			ask := func(namespace string, n int) {
				fds, err := a.Outward(context.Background(), ipc.Outward{NetNamespace: namespace, Count: n})
				for _, fd := range fds {
					unix.Close(fd)
				}
				a.say("%s %d: %d, %v", namespace, n, len(fds), err)
			}
			ask("red", 1)
			ask("red", ipc.MostOutward+1)
			if !a.begin(ipc.Prepared{}) {
				return "exit status 1"
			}
			ask("red", 2)
			ask("blue", 2)
			return a.obey()
		}
	})
	h.wait("proxy 1 red 1: 1, <nil>", fmt.Sprintf("proxy 1 red %d: 0, too many sockets at a time", ipc.MostOutward+1), "vrrp 1 red 1: 0, only the proxy role connects to servers",
		"proxy 1 red 2: 1, <nil>", "proxy 1 blue 2: 0, the network namespace was not named before the role was ready")
	h.stop()
	h.finish()
}
