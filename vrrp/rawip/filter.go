package rawip

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// linkLayer is SKF_LL_OFF of linux/filter.h: offsets count from the link
// layer's header, which a raw socket does not deliver.
const linkLayer = 0xffe00000

// onlyFrom leaves only packets with a source in the Ethernet header (its bytes
// 6 to 11).
func onlyFrom(fd int, hardware [6]byte) error {
	statement := func(code uint16, jumpFalse uint8, k uint32) unix.SockFilter {
		return unix.SockFilter{Code: code, Jf: jumpFalse, K: k}
	}
	const loadWord, loadHalf = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_LD | unix.BPF_H | unix.BPF_ABS
	const equal, answer = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	program := []unix.SockFilter{
		statement(loadWord, 0, linkLayer+6),
		statement(equal, 3, binary.BigEndian.Uint32(hardware[:])),
		statement(loadHalf, 0, linkLayer+10),
		statement(equal, 1, uint32(binary.BigEndian.Uint16(hardware[4:]))),
		statement(answer, 0, 1<<32-1),
		statement(answer, 0, 0),
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
}
