package directive

import (
	"strings"

	"herald/config"
	"herald/config/block"
)

// What the blocks and words herald does nothing with mean for who has them.
const (
	insteadSNMP = "herald has no SNMP; `herald metrics` and `herald status --json` tell the same"
	insteadDBus = "herald is not on D-Bus; `herald status --json` and notify_fifo tell the same"
	insteadBFD  = "herald runs no BFD session, so nothing follows it; version 3 finds a dead master within 40 ms with advert_int 0.01, and vrrp_script may ask a gateway"
	insteadLVS  = "herald programs no LVS"
	insteadRS   = insteadLVS + "; real servers and their checks are the servers of a backend in the HAProxy file"
)

// instead says of a word herald knows and does not act on what it means and
// what to write; "" is nothing beyond that.
func instead(word string) string {
	switch {
	case strings.Contains(word, "dbus"):
		return insteadDBus
	case strings.HasPrefix(word, "snmp_"), strings.HasPrefix(word, "enable_snmp"), word == "enable_traps":
		return insteadSNMP
	case strings.HasPrefix(word, "bfd_"), word == "track_bfd":
		return insteadBFD
	case word == "use_ipvlan":
		return "the addresses stay on the interface itself; use_vmac gives them an interface of their own"
	case strings.HasPrefix(word, "lvs_"), strings.HasPrefix(word, "nftables_ipvs"):
		return insteadLVS
	case strings.HasPrefix(word, "checker_"), word == "SSL", word == "smtp_alert_checker", word == "no_checker_emails", word == "rs_init_notifies":
		return insteadRS
	}
	return ""
}

// unsupported reports a statement keepalived knows and herald ignores.
func (b *build) unsupported(st block.Statement) {
	var one config.Diagnostics
	one.Unsupported(st.Pos, config.Warning, "keyword", st.Keyword(), "keepalived")
	for _, d := range one.List() {
		d.Fix = instead(st.Keyword())
		b.diags.Add(d)
	}
}
