package expr

import (
	"encoding/binary"
	"fmt"
	mathbits "math/bits"
	"net/netip"
	"strconv"
	"strings"
)

// Args says which arguments a fetch or converter takes, a letter each, those
// behind a question mark optional: s a string, i an integer, f a frontend, b a
// backend, v a server, 4 a mask of IPv4 and 6 one of IPv6, A an IPv4 address
// and B one of IPv6, n an integer or a variable.
type Args string

// bounds are the least and most arguments.
func (a Args) bounds() (least, most int) {
	must, may, _ := strings.Cut(string(a), "?")
	return len(must), len(must) + len(may)
}

// Arguments are those of one call, read. Text, number, addr and mask answer
// what is at a position; what was left out is the zero value.
type Arguments struct {
	text   []string
	number []int64
	addr   []netip.Addr
	refers []Reference
	files  Loader
	grows  bool // set by who makes the fetch: its value changes while bytes come
}

// has reports whether argument i was written.
func (a *Arguments) has(i int) bool { return i < len(a.text) && a.text[i] != "" }

// at is argument i as text.
func (a *Arguments) at(i int) string {
	if i < len(a.text) {
		return a.text[i]
	}
	return ""
}

// int is argument i as a number, or what it is when it was left out.
func (a *Arguments) int(i int, otherwise int64) int64 {
	if !a.has(i) {
		return otherwise
	}
	return a.number[i]
}

// read reads the arguments of a call.
func (spec Args) read(name string, args []string) (*Arguments, error) {
	least, most := spec.bounds()
	if len(args) == 0 && least == 1 && spec[0] == 's' { // an empty text is one
		args = []string{""}
	}
	if len(args) < least || len(args) > most {
		switch {
		case most == 0:
			return nil, fmt.Errorf("%s takes no argument", name)
		case least == most:
			return nil, fmt.Errorf("%s takes %s, not %d", name, counted(most), len(args))
		}
		return nil, fmt.Errorf("%s takes %d to %s, not %d", name, least, counted(most), len(args))
	}
	kinds := strings.ReplaceAll(string(spec), "?", "")
	a := &Arguments{text: args, number: make([]int64, len(args)), addr: make([]netip.Addr, len(args))}
	for i, arg := range args {
		if arg == "" && i >= least {
			continue
		}
		if err := a.readOne(i, kinds[i]); err != nil {
			return nil, fmt.Errorf("%s: argument %d: %w", name, i+1, err)
		}
	}
	if least == 0 && len(args) == 0 && kinds != "" && strings.IndexByte("fbv", kinds[0]) >= 0 {
		a.refers = append(a.refers, Reference{Kind: references[kinds[0]]})
	}
	return a, nil
}

func counted(n int) string {
	if n == 1 {
		return "1 argument"
	}
	return strconv.Itoa(n) + " arguments"
}

var references = map[byte]string{'f': "frontend", 'b': "backend", 'v': "server"}

func (a *Arguments) readOne(i int, kind byte) (err error) {
	arg := a.text[i]
	switch kind {
	case 'i':
		if a.number[i], err = strconv.ParseInt(arg, 10, 64); err != nil {
			return fmt.Errorf("%q is not an integer", arg)
		}
	case 'n':
		if a.number[i], err = strconv.ParseInt(arg, 10, 64); err != nil {
			if scope, _, ok := strings.Cut(arg, "."); ok && strings.Contains(" proc sess txn req res check ", " "+scope+" ") {
				return fmt.Errorf("variable %q: variables are not supported yet", arg)
			}
			return fmt.Errorf("%q is not an integer", arg)
		}
	case 'f', 'b':
		a.refers = append(a.refers, Reference{Kind: references[kind], Name: arg})
	case 'v':
		a.refers = append(a.refers, serverReference(arg))
	case 'A', 'B':
		if a.addr[i], err = netip.ParseAddr(arg); err != nil || a.addr[i].Is4() != (kind == 'A') {
			return fmt.Errorf("%q is not an address of that kind", arg)
		}
	case '4', '6':
		bits := map[byte]int{'4': 32, '6': 128}[kind]
		if a.addr[i], err = mask(arg, bits); err != nil {
			return err
		}
	}
	return nil
}

// mask reads a mask: a number of bits, or an address.
func mask(text string, bits int) (netip.Addr, error) {
	if n, err := strconv.Atoi(text); err == nil {
		if n < 0 || n > bits {
			return netip.Addr{}, fmt.Errorf("a mask has 0 to %d bits, not %d", bits, n)
		}
		all := netip.AddrFrom16([16]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255})
		if bits == 32 {
			all = netip.AddrFrom4([4]byte{255, 255, 255, 255})
		}
		p, err := all.Prefix(n)
		return p.Addr(), err
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.BitLen() != bits {
		return a, fmt.Errorf("%q is not a mask", text)
	}
	return a, nil
}

// prefix reads ADDRESS/BITS or ADDRESS/NETMASK.
func prefix(text string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p, nil
	}
	addr, mask, _ := strings.Cut(text, "/")
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return netip.Prefix{}, err
	}
	m, err := netip.ParseAddr(mask)
	if err != nil || !m.Is4() || !a.Is4() {
		return netip.Prefix{}, fmt.Errorf("%q is no mask", mask)
	}
	four := m.As4()
	ones := binary.BigEndian.Uint32(four[:])
	bits := mathbits.LeadingZeros32(^ones)
	if ones<<bits != 0 {
		return netip.Prefix{}, fmt.Errorf("%q has a gap", mask)
	}
	return netip.PrefixFrom(a, bits), nil
}

// serverReference reads [BACKEND/]SERVER.
func serverReference(text string) Reference {
	if of, server, ok := strings.Cut(text, "/"); ok {
		return Reference{Kind: "server", Name: of, Of: server}
	}
	return Reference{Kind: "server", Of: text}
}
