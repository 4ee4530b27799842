package firewall

import (
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// muteTable holds the rules of Mute; it is replaced as a whole, apart from the
// addresses' own.
const muteTable = "herald_vmac"

// What a virtual MAC interface must not say: ICMPv6 router solicitations (RFC
// 4861) and the messages of multicast listeners (RFC 2710, RFC 3810).
var notFromVirtual = []byte{131, 132, 133, 143}

// Mute drops what the kernel sends of itself from exactly these interfaces,
// which need not exist yet: reports of multicast groups and router
// solicitations. A backup that sent any would tell the switches that the
// virtual MAC address is behind it. Without any the tables go.
func (f *Firewall) Mute(devices []string) error {
	for _, family := range []nftables.TableFamily{nftables.TableFamilyIPv4, nftables.TableFamilyIPv6} {
		if err := f.mute(family, devices); err != nil {
			return fmt.Errorf("nftables table %s: %w", muteTable, err)
		}
	}
	return nil
}

// mute swaps the table of one family in one transaction.
func (f *Firewall) mute(family nftables.TableFamily, devices []string) error {
	t := &nftables.Table{Family: family, Name: muteTable}
	f.conn.AddTable(t)
	f.conn.DelTable(t)
	if len(devices) > 0 {
		f.conn.AddTable(t)
		accept := nftables.ChainPolicyAccept
		chain := f.conn.AddChain(&nftables.Chain{Table: t, Name: "out", Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookOutput,
			Priority: nftables.ChainPriorityRef(-1), Policy: &accept})
		for _, device := range devices {
			for _, match := range muted(family) {
				rule := append([]expr.Any{&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: 1}, equal(name(device))}, match...)
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

// muted are the packets of a family that are dropped.
func muted(family nftables.TableFamily) [][]expr.Any {
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
