package privilege

import "golang.org/x/sys/unix"

// audit is the architecture a filter is for.
const audit = unix.AUDIT_ARCH_AARCH64

// needlessHere are those of this architecture alone: none.
var needlessHere []uint32
