package directive

import (
	"fmt"
	"strings"
)

// A section is one block of the keyword reference.
type section struct {
	name string // the block's path, "vrrp_instance" or "virtual_server real_server"
	head string // what surrounds an example: "vrrp_instance VI { ... %s }"
	rows []described
}

// described is a row without its behaviour.
type described struct {
	name, doc, syntax, example, status string
}

func describe[T any](name, head string, words registry[T]) section {
	s := section{name: name, head: head}
	for _, r := range words.Rows() {
		s.rows = append(s.rows, described{r.Name, r.Doc, r.Syntax, r.Example, r.Do.status()})
	}
	return s
}

const topLevel = "top level"

// sections returns every block with its words, in the reference's order.
func sections() []section {
	const lvs, server = "virtual_server 192.0.2.1 80 { %s }", "virtual_server 192.0.2.1 80 { real_server 192.0.2.2 80 { %s } }"
	check := func(kind string) string { return strings.Replace(server, "%s", kind+" { %s }", 1) }
	return []section{
		describe(topLevel, "%s", topWords),
		describe("global_defs", "global_defs { %s }", globalWords),
		describe("vrrp_script", "vrrp_script check { script /bin/true\n%s }", scriptWords),
		describe("vrrp_instance", "vrrp_script check { script /bin/true }\ntrack_file maintenance { file /etc/down }\nvrrp_track_process web { process nginx }\nvrrp_instance VI_1 { interface eth0\nvirtual_router_id 51\nvirtual_ipaddress { 192.0.2.9 }\n%s }", instanceWords),
		describe("vrrp_instance authentication", "vrrp_instance VI_1 { interface eth0\nvirtual_router_id 51\nvirtual_ipaddress { 192.0.2.9 }\nauthentication {\nauth_type PASS\nauth_pass x\n%s } }", authWords),
		describe("vrrp_sync_group", "vrrp_script check { script /bin/true }\ntrack_file maintenance { file /etc/down }\nvrrp_track_process web { process nginx }\nvrrp_instance VI_1 { interface eth0\nvirtual_router_id 51\nvirtual_ipaddress { 192.0.2.9 } }\nvrrp_sync_group G { group { VI_1 }\n%s }", groupWords),
		describe("garp_group", "garp_group { %s }", garpGroupWords),
		describe("track_group", "track_group G { %s }", trackGroupWords),
		describe("track_file", "track_file f { file /etc/down\n%s }", fileWords),
		describe("vrrp_track_process", "vrrp_track_process p { process nginx\n%s }", processWords),
		describe("bfd_instance", "bfd_instance b { %s }", insideTop["bfd_instance"]),
		describe("virtual_server", lvs, virtualServerWords),
		describe("virtual_server real_server", server, realServerWords),
		describe("TCP_CHECK, PING_CHECK", check("TCP_CHECK"), checkers["TCP_CHECK"]),
		describe("HTTP_GET, SSL_GET", check("HTTP_GET"), checkers["HTTP_GET"]),
		describe("HTTP_GET url", check("HTTP_GET { url")+" }", leaf(urlPlan)),
		describe("SMTP_CHECK", check("SMTP_CHECK"), checkers["SMTP_CHECK"]),
		describe("DNS_CHECK", check("DNS_CHECK"), checkers["DNS_CHECK"]),
		describe("MISC_CHECK", check("MISC_CHECK"), checkers["MISC_CHECK"]),
		describe("UDP_CHECK", check("UDP_CHECK"), checkers["UDP_CHECK"]),
		describe("FILE_CHECK", check("FILE_CHECK"), checkers["FILE_CHECK"]),
		describe("BFD_CHECK", check("BFD_CHECK"), checkers["BFD_CHECK"]),
		describe("SSL", "SSL { %s }", insideTop["SSL"]),
	}
}

// place says where the words of a section belong.
func (s section) place() string {
	if s.name == topLevel {
		return "at the top level"
	}
	return "in " + s.name
}

// elsewhere tells of each word of an inner block where it belongs. A word of
// several blocks is told by the first.
func elsewhere() map[string]string {
	home := map[string]string{}
	for _, s := range sections() {
		for _, r := range s.rows {
			if _, ok := home[r.name]; !ok {
				home[r.name] = s.place()
			}
		}
	}
	return home
}

// Reference returns the keyword reference in Markdown, generated from the
// registries.
func Reference() string {
	var b strings.Builder
	b.WriteString("# Keywords of keepalived.conf\n\n" +
		"Generated from the registries of `vrrp/directive`; do not edit (`go test ./vrrp/directive -update` writes it).\n\n" +
		"*Supported*: herald acts on it. *Built in*: herald always behaves so, or has no need of it; the word is accepted in\n" +
		"silence. *Not yet*: known, reported as not supported yet, and ignored. A word in no table is reported as unknown with\n" +
		"the nearest known word. The language itself (blocks, quotes, `include`, `include_check`, `$VAR`, `~SEQ`, `~LST`,\n" +
		"`@id`) is complete.\n")
	for _, s := range sections() {
		fmt.Fprintf(&b, "\n## %s\n\n| keyword | arguments | what it does | herald |\n|---|---|---|---|\n", s.name)
		for _, r := range s.rows {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.name, code(r.syntax), escapeCell(r.doc), r.status)
		}
	}
	return b.String()
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + escapeCell(s) + "`"
}

func escapeCell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
