package privilege

import "golang.org/x/sys/unix"

// audit is the architecture a filter is for.
const audit = unix.AUDIT_ARCH_X86_64

// needlessHere are those of this architecture alone.
var needlessHere = []uint32{unix.SYS_FORK, unix.SYS_VFORK, unix.SYS_IOPERM, unix.SYS_IOPL, unix.SYS_MODIFY_LDT, unix.SYS_USELIB, unix.SYS_USTAT,
	unix.SYS_SYSFS, unix.SYS__SYSCTL, unix.SYS_MKNOD, unix.SYS_CREATE_MODULE, unix.SYS_GET_KERNEL_SYMS, unix.SYS_QUERY_MODULE}
