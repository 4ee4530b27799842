package directive

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"herald/config"
	"herald/proxy/expr"
)

var (
	globalKeywords = config.NewRegistry(slices.Concat(globalRows, unixBindRows, headerCaseRows, h2GlobalRows, globalLogRows, globalTLSRows, environmentRows,
		externalGlobalRows)...)
	proxyKeywords = config.NewRegistry(slices.Concat(proxyRows, balanceRows, templateRows, bindRows, serverRows, reuseRows, timeoutRows, optionRows, httpRows, probeRows, sourceRows, ruleRows, logRows,
		errorFileRows, captureRows, statsRows, h2OptionRows,
		healthRows, checkRuleRows, externalRows)...)
)

// Reference returns the keyword reference as markdown, generated from the
// rows.
func Reference() string {
	var b strings.Builder
	b.WriteString("# Keywords of haproxy.cfg\n\n" +
		"Generated from the program's own tables. A keyword that HAProxy 2.6 knows and that is not listed here is reported as\n" +
		"\"known to HAProxy but not supported yet\": as an error where leaving it out would send traffic elsewhere or let someone\n" +
		"pass, otherwise as a warning and ignored.\n")
	table(&b, "Global section", globalKeywords.Rows(), func(k keyword) string { return negatable(k) })
	table(&b, "Proxies: defaults, frontend, backend, listen", proxyKeywords.Rows(), func(k keyword) string {
		return strings.TrimSpace(sections(k.in) + " " + negatable(k))
	})
	table(&b, "Options of bind and stats socket", bindOptions.Rows(), func(bindOption) string { return "" })
	table(&b, "Options of server and default-server", serverOptions.Rows(), func(o serverOption) string {
		if o.noDefault {
			return "server only"
		}
		return ""
	})
	table(&b, "Sections of resolvers", resolverKeywords.Rows(), func(resolverKeyword) string { return "" })
	fetches, cannot := fetchRows()
	table(&b, "Fetches: what conditions, balance hash, sni and use-server look at", fetches, func(k expr.Kind) string { return k.Type.String() })
	table(&b, "Converters, behind a fetch and a comma", expr.Converters.Rows(), func(k expr.Change) string { return k.From.String() + " to " + k.To.String() })
	b.WriteString("\n## Known and not supported yet\n\n")
	for _, why := range slices.Sorted(maps.Keys(cannot)) {
		fmt.Fprintf(&b, "- Fetches, an error, as %s: %s.\n", why, strings.Join(cannot[why], ", "))
	}
	list(&b, "Global section, an error", "global", knownGlobal, config.Error)
	list(&b, "Global section, ignored", "global", knownGlobal, config.Warning, config.Notice)
	list(&b, "Proxies, an error", "proxy", knownProxy, config.Error)
	list(&b, "Proxies, ignored", "proxy", knownProxy, config.Warning, config.Notice)
	list(&b, "Sections, an error", "section", unbuiltSections, config.Error)
	list(&b, "Options of bind, an error", "bind", optionSeverities(knownBind), config.Error)
	list(&b, "Options of bind, ignored", "bind", optionSeverities(knownBind), config.Warning)
	list(&b, "Options of server, an error", "server", optionSeverities(knownServer), config.Error)
	list(&b, "Options of server, ignored", "server", optionSeverities(knownServer), config.Warning)
	list(&b, "Sections, ignored", "section", unbuiltSections, config.Warning)
	return b.String()
}

// fetchRows are the fetches there are, and by the reason those there cannot
// be.
func fetchRows() (rows []config.Row[expr.Kind], cannot map[string][]string) {
	cannot = map[string][]string{}
	for _, r := range expr.Fetches.Rows() {
		if why := r.Do.Cannot; why != "" {
			cannot[why] = append(cannot[why], "`"+r.Name+"`")
			continue
		}
		rows = append(rows, r)
	}
	return rows, cannot
}

func table[T any](b *strings.Builder, title string, rows []config.Row[T], where func(T) string) {
	fmt.Fprintf(b, "\n## %s\n\n| keyword | what it does | where | example |\n|---|---|---|---|\n", title)
	for _, r := range rows {
		fmt.Fprintf(b, "| `%s` | %s | %s | `%s` |\n", cell(strings.TrimSpace(r.Name+" "+r.Syntax)), cell(r.Doc), where(r.Do), cell(r.Example))
	}
}

// cell escapes what would end a table cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// list writes the words of a table, those of one fate together.
func list(b *strings.Builder, title, where string, words map[string]config.Severity, which ...config.Severity) {
	fates := map[string][]string{}
	for w, sev := range words {
		if slices.Contains(which, sev) {
			text := instead[where+" "+w]
			fates[text] = append(fates[text], "`"+w+"`")
		}
	}
	for _, text := range slices.Sorted(maps.Keys(fates)) {
		line := strings.Join(sorted(fates[text]), ", ")
		if text != "" {
			line += ": " + text
		}
		fmt.Fprintf(b, "- %s: %s.\n", title, line)
	}
}

// optionSeverities are the severities of words behind an address.
func optionSeverities(words map[string]knownOption) map[string]config.Severity {
	m := map[string]config.Severity{}
	for w, k := range words {
		if !k.silent {
			m[w] = k.severity
		}
	}
	return m
}

func negatable(k keyword) string {
	if k.negate {
		return "(no)"
	}
	return ""
}

// sections names where a keyword may stand: d, f, b for defaults, frontend,
// backend; a listen section takes both sides.
func sections(in scope) string {
	var parts []string
	for _, s := range []struct {
		in   scope
		name string
	}{{inDefaults, "defaults"}, {inFrontend, "frontend"}, {inBackend, "backend"}} {
		if in&s.in != 0 {
			parts = append(parts, s.name)
		}
	}
	return strings.Join(append(parts, "listen"), ", ")
}
