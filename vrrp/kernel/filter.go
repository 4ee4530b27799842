package kernel

import (
	"encoding/binary"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// notRenewals lets every notification through but those that only tell that an
// address lives longer: hundreds of them a second may be our own, and nobody
// is to be woken for them. It is what news says, asked in the kernel: an
// IFA_CACHEINFO whose creation (third number) is older than the change
// (fourth). Loads are in network byte order.
var notRenewals = []bpf.Instruction{
	bpf.LoadAbsolute{Off: 4, Size: 2}, // nlmsg_type
	bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: wireOrder16(unix.RTM_NEWADDR), SkipTrue: 11},
	bpf.LoadConstant{Dst: bpf.RegA, Val: unix.SizeofNlMsghdr + unix.SizeofIfAddrmsg},
	bpf.LoadConstant{Dst: bpf.RegX, Val: unix.IFA_CACHEINFO},
	bpf.LoadExtension{Num: bpf.ExtNetlinkAttr},
	bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 7},
	bpf.TAX{},
	bpf.LoadIndirect{Off: 4 + 8, Size: 4},
	bpf.StoreScratch{Src: bpf.RegA, N: 0},
	bpf.LoadIndirect{Off: 4 + 12, Size: 4},
	bpf.LoadScratch{Dst: bpf.RegX, N: 0},
	bpf.JumpIfX{Cond: bpf.JumpEqual, SkipTrue: 1},
	bpf.RetConstant{Val: 0},
	bpf.RetConstant{Val: 1 << 18},
}

// filter attaches notRenewals to a socket. It may fail: news filters too.
func filter(fd int) error {
	code, err := bpf.Assemble(notRenewals)
	if err != nil {
		return err
	}
	program := make([]unix.SockFilter, len(code))
	for i, c := range code {
		program[i] = unix.SockFilter{Code: c.Op, Jt: c.Jt, Jf: c.Jf, K: c.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
}

// wireOrder16 is what a filter loads where the kernel wrote v.
func wireOrder16(v uint16) uint32 {
	return uint32(binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, v)))
}
