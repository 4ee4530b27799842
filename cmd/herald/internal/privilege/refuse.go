package privilege

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// What a filter answers (seccomp(2)).
var (
	allow  = bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}
	refuse = bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)}
	// unknown is for a call whose arguments lie in memory: who asks falls back
	// to the older one.
	unknown = bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)}
)

// Offsets in struct seccomp_data.
const (
	offNumber = 0
	offArch   = 4
	offArgs   = 16 // 8 bytes each
)

// foreign is where the numbers of another calling convention begin (x32).
const foreign = 0x40000000

// argument loads the lower half of an argument: all that is asked for lies in
// it.
func argument(n uint32) bpf.Instruction {
	at := offArgs + 8*n
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		at += 4
	}
	return bpf.LoadAbsolute{Off: at, Size: 4}
}

// answers are what follows for a system call, by its number; the others are
// allowed.
type answers map[uint32][]bpf.Instruction

// refusals are the answers for a role within b whose process is pid.
func refusals(b Bounds, pid int) answers {
	a := answers{foreign: {refuse}}
	for _, number := range needless {
		a[number] = []bpf.Instruction{refuse}
	}
	// Threads are made with clone, processes are not made.
	a[unix.SYS_CLONE] = []bpf.Instruction{argument(0), bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: unix.CLONE_THREAD, SkipFalse: 1}, allow, refuse}
	a[unix.SYS_CLONE3] = []bpf.Instruction{unknown}
	// Code is what was there at the start.
	executable := []bpf.Instruction{argument(2), bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: unix.PROT_EXEC, SkipFalse: 1}, refuse, allow}
	a[unix.SYS_MMAP], a[unix.SYS_MPROTECT], a[unix.SYS_PKEY_MPROTECT] = executable, executable, executable
	// The runtime signals its own threads.
	own := []bpf.Instruction{argument(0), bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(pid), SkipFalse: 1}, allow, refuse}
	a[unix.SYS_KILL], a[unix.SYS_TGKILL] = own, own
	// Standard error may be a terminal, which takes input from who holds it.
	a[unix.SYS_IOCTL] = []bpf.Instruction{argument(1), bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.TIOCSTI, SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.TIOCLINUX, SkipTrue: 1}, refuse, allow}
	a[unix.SYS_SOCKET] = socketAnswer(b.Raw)
	return a
}

// socketAnswer allows the families a role uses, of the internet's streams and
// datagrams only.
func socketAnswer(raw bool) []bpf.Instruction {
	whole := []uint32{unix.AF_UNIX, unix.AF_NETLINK}
	if raw {
		whole = append(whole, unix.AF_PACKET, unix.AF_INET, unix.AF_INET6)
	}
	list := []bpf.Instruction{argument(0)}
	for _, family := range whole {
		list = append(list, bpf.JumpIf{Cond: bpf.JumpEqual, Val: family, SkipFalse: 1}, allow)
	}
	const kind = 0xf // the rest are flags: SOCK_NONBLOCK, SOCK_CLOEXEC
	return append(list,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_INET, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_INET6, SkipTrue: 1},
		refuse,
		argument(1), bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: kind},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SOCK_STREAM, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SOCK_DGRAM, SkipTrue: 1},
		refuse, allow)
}

// program is the filter that gives answers: calls of another architecture are
// refused, the answer to a number is searched for by halves.
func (a answers) program() []bpf.Instruction {
	type span struct {
		from   uint32 // to the next one's
		answer []bpf.Instruction
	}
	list := []span{{0, []bpf.Instruction{allow}}}
	for _, number := range slices.Sorted(maps.Keys(a)) {
		if last := &list[len(list)-1]; last.from == number {
			last.answer = a[number]
		} else {
			list = append(list, span{number, a[number]})
		}
		if number < foreign {
			list = append(list, span{number + 1, []bpf.Instruction{allow}})
		}
	}
	// Neighbours with the same answer are one.
	list = slices.CompactFunc(list, func(x, y span) bool { return slices.Equal(x.answer, y.answer) })
	var search func([]span) []bpf.Instruction
	search = func(list []span) []bpf.Instruction {
		if len(list) == 1 {
			return list[0].answer
		}
		half := len(list) / 2
		low, high := search(list[:half]), search(list[half:])
		code := []bpf.Instruction{bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: list[half].from, SkipFalse: 1}, bpf.Jump{Skip: uint32(len(low))}}
		return slices.Concat(code, low, high)
	}
	begin := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offArch, Size: 4}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: audit, SkipTrue: 1}, refuse,
		bpf.LoadAbsolute{Off: offNumber, Size: 4},
	}
	return append(begin, search(list)...)
}

// assembled is a's program as the kernel takes it.
func assembled(a answers) ([]unix.SockFilter, error) {
	raw, err := bpf.Assemble(a.program())
	if err != nil {
		return nil, fmt.Errorf("assemble filter: %w", err)
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	return code, nil
}
