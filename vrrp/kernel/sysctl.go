package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"herald/vrrp/settings"
)

// SetSysctl sets a value below /proc/sys/net and returns the one before. It
// needs CAP_NET_ADMIN, no user in particular: the kernel gives network
// administrators the owner's rights there (net/sysctl_net.c). An interface
// that does not exist is no error and has no value.
func (k *Kernel) SetSysctl(s settings.Sysctl) (before string, err error) {
	if strings.ContainsAny(s.Device, "/") || s.Device == ".." || s.Device == "." {
		return "", fmt.Errorf("set sysctl of %q: not an interface", s.Device)
	}
	path := "/proc/sys/net/" + s.Name
	if s.Device != "" {
		path = "/proc/sys/net/" + fmt.Sprintf(s.Name, s.Device)
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read sysctl: %w", err)
	}
	if before = strings.TrimSpace(string(raw)); before == s.Value {
		return before, nil
	}
	if err := os.WriteFile(path, []byte(s.Value), 0); err != nil {
		return before, fmt.Errorf("set sysctl: %w (a container may have it read-only)", err)
	}
	return before, nil
}
