package notify

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
)

func TestStatesArriveAtTheServiceManager(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "n"), "@herald-notify-test"} {
		l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		send := To(path)
		buf := make([]byte, 200)
		for _, state := range []string{"READY=1", "RELOADING=1"} {
			send(state)
			n, err := l.Read(buf)
			if err != nil || !strings.HasPrefix(string(buf[:n]), state) {
				t.Errorf("%s: want %s, got %q, %v", path, state, buf[:n], err)
			}
			if state == "RELOADING=1" && !strings.Contains(string(buf[:n]), "\nMONOTONIC_USEC=") {
				t.Errorf("want the time of the reload, got %q", buf[:n])
			}
		}
		l.Close()
		send("STOPPING=1") // nobody listens: no panic, no wait
	}
	To("")("READY=1")
}
