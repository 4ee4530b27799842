//go:build !race

package privilege

import (
	"errors"
	"fmt"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// restrictFiles refuses every file and directory to all threads, but reading
// those in read, as far as the kernel's Landlock goes; abi is its version. The
// rights are those of version 8: later versions also refuse unix sockets of
// servers and logs.
func restrictFiles(read []string) (abi int, err error) {
	abi, err = ll.LandlockGetABIVersion()
	if err != nil {
		return 0, fmt.Errorf("the kernel has none: %w", err)
	}
	if abi < 1 {
		return 0, errors.New("the kernel has none")
	}
	rule := landlock.PathAccess(ll.AccessFSReadFile, read...).IgnoreIfMissing()
	return abi, landlock.V8.BestEffort().RestrictPaths(rule)
}
