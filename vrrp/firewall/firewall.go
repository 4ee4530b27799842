// Package firewall drops packets to and from addresses a master holds but must
// not answer for (no_accept, RFC 9568 section 6.1 Accept_Mode), by nftables.
//
// It decides nothing: it is given every address that is to be silent and makes
// the tables say exactly that. The tables are its own, one of each family
// named herald, and are replaced as a whole in one transaction, so that no
// packet sees half of them. Neighbour discovery passes: a silent address is
// still found.
//
//	f, err := firewall.Open()
//	defer f.Close()
//	err = f.Silence(addresses) // none: the tables go
//
// It needs CAP_NET_ADMIN and acts in the network namespace of the thread that
// calls Open.
package firewall

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"herald/vrrp/settings"
)

const table = "herald"

// Places of an address in the IP header (RFC 791 section 3.1, RFC 8200
// section 3).
var source, destination = map[bool]uint32{false: 12, true: 8}, map[bool]uint32{false: 16, true: 24}

// Firewall is a connection to nftables. Its methods may be called from one
// goroutine at a time.
type Firewall struct {
	conn *nftables.Conn
}

// Open connects to the kernel.
func Open() (*Firewall, error) {
	conn, err := nftables.New(nftables.AsLasting())
	if err != nil {
		return nil, fmt.Errorf("open nftables: %w", err)
	}
	return &Firewall{conn: conn}, nil
}

// Close ends the connection; the tables stay.
func (f *Firewall) Close() error { return f.conn.CloseLasting() }

// Silence makes exactly these addresses silent. Without any the tables go.
func (f *Firewall) Silence(list []settings.Address) error {
	var four, six []settings.Address
	for _, a := range list {
		if a.Prefix.Addr().Is4() {
			four = append(four, a)
		} else {
			six = append(six, a)
		}
	}
	// One transaction each: a kernel without IPv6 has no such table.
	err := errors.Join(f.replace(nftables.TableFamilyIPv4, four), f.replace(nftables.TableFamilyIPv6, six))
	if err != nil {
		return fmt.Errorf("nftables table %s: %w", table, err)
	}
	return nil
}

// replace swaps the table of one family for a new one.
func (f *Firewall) replace(family nftables.TableFamily, list []settings.Address) error {
	t := &nftables.Table{Family: family, Name: table}
	// Deleting a table that is not there is an error, adding one twice is not.
	f.conn.AddTable(t)
	f.conn.DelTable(t)
	if len(list) > 0 {
		f.conn.AddTable(t)
		f.fill(t, list)
	}
	if err := f.conn.Flush(); err != nil {
		f.reopen()
		return err
	}
	return nil
}

// reopen drops answers that may still wait on a connection that failed.
func (f *Firewall) reopen() {
	if conn, err := nftables.New(nftables.AsLasting()); err == nil {
		f.conn.CloseLasting()
		f.conn = conn
	}
}

// fill adds the two chains. They come just before the filter's own (priority
// -1), so that nothing an administrator accepts there reaches the address.
func (f *Firewall) fill(t *nftables.Table, list []settings.Address) {
	six := t.Family == nftables.TableFamilyIPv6
	for _, c := range []struct {
		name   string
		hook   *nftables.ChainHook
		offset uint32
		device expr.MetaKey
	}{
		{"in", nftables.ChainHookInput, destination[six], expr.MetaKeyIIFNAME},
		{"out", nftables.ChainHookOutput, source[six], expr.MetaKeyOIFNAME},
	} {
		accept := nftables.ChainPolicyAccept
		chain := f.conn.AddChain(&nftables.Chain{Table: t, Name: c.name, Type: nftables.ChainTypeFilter, Hooknum: c.hook,
			Priority: nftables.ChainPriorityRef(-1), Policy: &accept})
		add := func(e ...expr.Any) { f.conn.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: e}) }
		if six {
			for _, kind := range []byte{135, 136} { // neighbour solicitation and advertisement (RFC 4861)
				add(&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1}, equal([]byte{unix.IPPROTO_ICMPV6}),
					&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 1}, equal([]byte{kind}),
					&expr.Verdict{Kind: expr.VerdictAccept})
			}
		}
		for _, a := range list {
			addr := a.Prefix.Addr()
			var e []expr.Any
			if addr.IsLinkLocalUnicast() && six { // the same address may be on another link
				e = append(e, &expr.Meta{Key: c.device, Register: 1}, equal(name(a.Device)))
			}
			e = append(e, header(c.offset, addr), equal(addr.AsSlice()), &expr.Counter{}, &expr.Verdict{Kind: expr.VerdictDrop})
			add(e...)
		}
	}
}

func header(offset uint32, a netip.Addr) expr.Any {
	return &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: uint32(a.BitLen() / 8)}
}

func equal(data []byte) expr.Any { return &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: data} }

// name is an interface's name as nftables compares it (IFNAMSIZ).
func name(device string) []byte { return append([]byte(device), make([]byte, 16-len(device))...) }
