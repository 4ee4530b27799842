package firewall

import (
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"herald/vrrp/settings"
)

// muteTable holds the rules of Mute; it is replaced as a whole, apart from the
// addresses' own.
const muteTable = "herald_vmac"

// What a virtual MAC interface must not say: ICMPv6 router solicitations (RFC
// 4861) and the messages of multicast listeners (RFC 2710, RFC 3810).
var notFromVirtual = []byte{131, 132, 133, 143}

// Mute drops what the kernel sends of itself from exactly these interfaces,
// which need not exist yet: reports of multicast groups, router solicitations,
// and answers to the announcements of a router with the same hardware address.
// A node that is not master and sent any would tell the switches that the
// virtual MAC address is behind it. Without any the tables go.
func (f *Firewall) Mute(list []settings.VirtualMAC) error {
	for _, family := range []nftables.TableFamily{nftables.TableFamilyIPv4, nftables.TableFamilyIPv6, nftables.TableFamilyARP} {
		if err := f.mute(family, list); err != nil {
			return fmt.Errorf("nftables table %s: %w", muteTable, err)
		}
	}
	return nil
}

// mute swaps the table of one family in one transaction.
func (f *Firewall) mute(family nftables.TableFamily, list []settings.VirtualMAC) error {
	t := &nftables.Table{Family: family, Name: muteTable}
	f.conn.AddTable(t)
	f.conn.DelTable(t)
	if len(list) > 0 {
		f.conn.AddTable(t)
		accept := nftables.ChainPolicyAccept
		chain := f.conn.AddChain(&nftables.Chain{Table: t, Name: "out", Type: nftables.ChainTypeFilter, Hooknum: output(family),
			Priority: nftables.ChainPriorityRef(-1), Policy: &accept})
		for _, v := range list {
			for _, match := range muted(family, v) {
				rule := append([]expr.Any{&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: 1}, equal(name(v.Name))}, match...)
				f.conn.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: append(rule, &expr.Counter{}, &expr.Verdict{Kind: expr.VerdictDrop})})
			}
		}
	}
	if err := f.conn.Flush(); err != nil {
		f.reopen()
		return err
	}
	return nil
}

// arpOutput is NF_ARP_OUT of linux/netfilter_arp.h.
const arpOutput = 1

// output is the hook of what the host itself sends.
func output(family nftables.TableFamily) *nftables.ChainHook {
	if family == nftables.TableFamilyARP {
		return nftables.ChainHookRef(arpOutput)
	}
	return nftables.ChainHookOutput
}

// muted are the packets of a family that are dropped.
func muted(family nftables.TableFamily, v settings.VirtualMAC) [][]expr.Any {
	if family == nftables.TableFamilyARP { // RFC 826: the operation is in bytes 6 and 7, the target's hardware address in 18 to 23
		return [][]expr.Any{{
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 6, Len: 2}, equal([]byte{0, 2}),
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 18, Len: 6}, equal(v.Hardware[:]),
		}}
	}
	protocol := func(p byte) []expr.Any {
		return []expr.Any{&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1}, equal([]byte{p})}
	}
	if family == nftables.TableFamilyIPv4 {
		return [][]expr.Any{protocol(unix.IPPROTO_IGMP)}
	}
	var list [][]expr.Any
	for _, kind := range notFromVirtual {
		list = append(list, append(protocol(unix.IPPROTO_ICMPV6),
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 1}, equal([]byte{kind})))
	}
	return list
}
