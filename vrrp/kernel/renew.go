package kernel

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"herald/vrrp/settings"
)

// renewBatch is how many addresses go into one system call. Should all of them
// be refused, the answers have to fit into the socket's receive buffer.
const renewBatch = 64

// Renew puts addresses on their devices with a lifetime, in whole seconds,
// after which the kernel takes them away, or gives present ones that lifetime
// anew; 0 is forever. One that cannot be had does not keep the others.
func (k *Kernel) Renew(list []settings.Address, lifetime time.Duration) error {
	var failed []error
	for some := range slices.Chunk(list, renewBatch) {
		failed = append(failed, k.renewSome(some, lifetime)...)
	}
	return errors.Join(failed...)
}

func (k *Kernel) renewSome(list []settings.Address, lifetime time.Duration) (failed []error) {
	fail := func(a settings.Address, err error) {
		failed = append(failed, fmt.Errorf("add %v to %s: %w", a.Prefix, a.Device, explain(err)))
	}
	k.orders.begin()
	var asked []settings.Address
	device, index, err := "", 0, error(nil)
	for _, a := range list {
		if a.Device != device {
			device = a.Device
			index, err = k.orders.index(device)
		}
		if err != nil {
			fail(a, err)
			continue
		}
		asked = append(asked, a)
		k.orders.add(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_REPLACE, func(b []byte) []byte {
			return appendAddress(b, a, index, lifetime)
		})
	}
	refused, err := k.orders.send()
	if err != nil {
		for _, a := range asked {
			fail(a, err)
		}
		return failed
	}
	for i, errno := range refused {
		if errno != 0 {
			fail(asked[i], errno)
		}
	}
	return failed
}

// appendAddress writes an address as rtnetlink(7) has it: struct ifaddrmsg
// (family, prefix length, flags, scope, index) and its attributes.
func appendAddress(b []byte, a settings.Address, index int, lifetime time.Duration) []byte {
	bits := flags(a)
	family, local := byte(unix.AF_INET6), a.Prefix.Addr().AsSlice()
	if a.Prefix.Addr().Is4() {
		family = unix.AF_INET
	}
	b = append(b, family, byte(a.Prefix.Bits()), byte(bits), byte(a.Scope))
	b = appendUint32(b, uint32(index))
	b = appendAttr(b, unix.IFA_LOCAL, local)
	if a.Peer.IsValid() {
		b = appendAttr(b, unix.IFA_ADDRESS, a.Peer.AsSlice())
	} else {
		b = appendAttr(b, unix.IFA_ADDRESS, local)
	}
	b = appendAttr(b, unix.IFA_FLAGS, appendUint32(nil, uint32(bits)))
	if family == unix.AF_INET {
		if a.Broadcast.IsValid() {
			b = appendAttr(b, unix.IFA_BROADCAST, a.Broadcast.AsSlice())
		}
		if a.Label != "" {
			b = appendAttr(b, unix.IFA_LABEL, append([]byte(a.Label), 0))
		}
	}
	preferred, valid := lives(a, lifetime)
	times := appendUint32(appendUint32(nil, preferred), valid)
	return appendAttr(b, unix.IFA_CACHEINFO, append(times, make([]byte, 8)...))
}

// lives returns for how many seconds an address is preferred and valid. It is
// preferred all its life unless the configuration says otherwise.
func lives(a settings.Address, lifetime time.Duration) (preferred, valid uint32) {
	valid = endless
	if lifetime != 0 {
		valid = uint32(lifetime / time.Second)
	}
	switch {
	case a.Deprecated:
		return 0, valid
	case a.PreferredLft > 0:
		return min(uint32(a.PreferredLft/time.Second), valid), valid
	}
	return valid, valid
}
