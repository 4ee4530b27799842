package directive

import (
	"strings"

	"herald/config"
	"herald/config/line"
)

// oldTimeouts are timeouts as they were called before HAProxy 1.3; "timeout
// contimeout" was accepted too.
var oldTimeouts = map[string]string{"contimeout": "connect", "clitimeout": "client", "srvtimeout": "server"}

// oldOptions are options under another name, or gone; an empty value means
// the line does nothing.
var oldOptions = map[string]string{
	"forceclose": "httpclose", "http-tunnel": "", "http-use-htx": "", "independant-streams": "independent-streams",
}

// oldRules are rule keywords that became actions of http-request and
// http-response; the argument's place in the modern line differs per keyword.
var oldRules = map[string]func(l line.Line) string{
	"block":      func(l line.Line) string { return "http-request deny " + written(l.Words[1:]) },
	"reqadd":     func(l line.Line) string { return "http-request add-header " + headerArguments(l) },
	"rspadd":     func(l line.Line) string { return "http-response add-header " + headerArguments(l) },
	"reqrep":     func(l line.Line) string { return "http-request replace-header NAME " + written(l.Words[1:]) },
	"reqirep":    func(l line.Line) string { return "http-request replace-header NAME " + caseless(l) },
	"rsprep":     func(l line.Line) string { return "http-response replace-header NAME " + written(l.Words[1:]) },
	"rspirep":    func(l line.Line) string { return "http-response replace-header NAME " + caseless(l) },
	"reqdel":     func(l line.Line) string { return "http-request del-header " + headerName(l) },
	"reqidel":    func(l line.Line) string { return "http-request del-header " + headerName(l) },
	"rspdel":     func(l line.Line) string { return "http-response del-header " + headerName(l) },
	"rspidel":    func(l line.Line) string { return "http-response del-header " + headerName(l) },
	"reqdeny":    matching("http-request deny"),
	"reqideny":   matching("http-request deny"),
	"reqallow":   matching("http-request allow"),
	"reqiallow":  matching("http-request allow"),
	"reqpass":    matching("http-request allow"),
	"reqipass":   matching("http-request allow"),
	"reqtarpit":  matching("http-request tarpit"),
	"reqitarpit": matching("http-request tarpit"),
	"rspdeny":    matching("http-response deny"),
	"rspideny":   matching("http-response deny"),
	"reqsetbe":   func(l line.Line) string { return "use_backend " + l.Arg(2) + " if { path_reg " + l.Arg(1) + " }" },
	"reqisetbe":  func(l line.Line) string { return "use_backend " + l.Arg(2) + " if { path_reg -i " + l.Arg(1) + " }" },
	"appsession": func(l line.Line) string { return "stick on req.cook(" + l.Arg(1) + ")" },
}

// matching makes the modern form of a rule that compared a pattern with the
// request line or a header line.
func matching(action string) func(l line.Line) string {
	return func(l line.Line) string {
		if len(l.Words) > 2 {
			return action + " " + written(l.Words[2:])
		}
		return action + " if { path_reg " + written(l.Words[1:]) + " }"
	}
}

// headerArguments turns `X-Name:\ value if C` into `X-Name value if C`.
func headerArguments(l line.Line) string {
	if len(l.Words) < 2 {
		return "NAME VALUE"
	}
	name, value, _ := strings.Cut(l.Arg(1), ":")
	words := []line.Word{{Text: name}, {Text: strings.TrimSpace(value)}}
	return written(append(words, l.Words[2:]...))
}

// headerName takes the name out of a pattern such as "^X-Name:.*".
func headerName(l line.Line) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(l.Arg(1), "^"), ":")
	if name == "" {
		name = "NAME"
	}
	return strings.TrimSpace(name + " " + written(l.Words[min(2, len(l.Words)):]))
}

func caseless(l line.Line) string {
	if len(l.Words) < 2 {
		return "MATCH FORMAT"
	}
	words := append([]line.Word{{Text: "(?i)" + l.Arg(1)}}, l.Words[2:]...)
	return written(words)
}

const remove = "nothing in its place; remove the line"

// legacy reads a line in a form HAProxy has given up, and reports whether the
// line was one.
func (b *builder) legacy(l line.Line, px *draft) bool {
	if px == nil {
		return b.legacyGlobal(l)
	}
	first, second := l.Arg(0), l.Arg(1)
	switch {
	case oldTimeouts[first] != "":
		b.renamed(l, px, 1, "timeout", oldTimeouts[first])
	case first == "timeout" && oldTimeouts[second] != "":
		b.renamed(l, px, 2, "timeout", oldTimeouts[second])
	case first == "redispatch" || first == "redisp":
		b.renamed(l, px, 1, "option", "redispatch")
	case first == "option" && isOld(oldOptions, second):
		if oldOptions[second] == "" {
			b.diags.Obsolete(l.Pos, "option "+second, remove)
			return true
		}
		b.renamed(l, px, 2, "option", oldOptions[second])
	case oldRules[first] != nil:
		modern := oldRules[first](l)
		b.diags.Obsolete(l.Pos, first, modern)
		keyword, _, _ := strings.Cut(modern, " ")
		b.diags.Unsupported(l.Pos, config.Error, "keyword", keyword, "HAProxy")
	case first == "monitor-net":
		b.diags.Add(config.Diagnostic{Pos: l.Pos, Severity: config.Error, Word: first,
			Message: `"monitor-net" is gone, from HAProxy 2.6 too`,
			Fix:     "monitor-uri for one path, or http-request return status 200 if { src " + written(l.Words[1:]) + " }"})
	case first == "grace" || first == "bind-process":
		b.diags.Obsolete(l.Pos, first, remove)
	default:
		return false
	}
	return true
}

func (b *builder) legacyGlobal(l line.Line) bool {
	first := l.Arg(0)
	switch {
	case first == "nbproc":
		b.diags.Obsolete(l.Pos, first, "nbthread "+l.Arg(1))
	case first == "tune.chksize":
		b.diags.Obsolete(l.Pos, first, "tune.bufsize "+l.Arg(1))
	case first == "tune.ssl.capture-cipherlist-size":
		b.renamed(l, nil, 1, "tune.ssl.capture-buffer-size")
	case first == "debug", first == "ssl-engine", first == "stats" && l.Arg(1) == "bind-process":
		b.diags.Obsolete(l.Pos, first, remove)
	case strings.HasPrefix(first, "tune.") && dotted(first) != "":
		b.renamed(l, nil, 1, dotted(first))
	default:
		return false
	}
	return true
}

// dotted returns the name of a tune keyword written with underscores, or "".
func dotted(name string) string {
	if !strings.Contains(name, "_") || isOld(knownGlobal, name) {
		return ""
	}
	for _, modern := range []string{strings.ReplaceAll(name, "_", "."), strings.Replace(name, "_", ".", 1), strings.ReplaceAll(name, "_", "-")} {
		if _, known := globalKeywords.Lookup(modern); known || isOld(knownGlobal, modern) {
			return modern
		}
	}
	return ""
}

func isOld[T any](m map[string]T, word string) bool {
	_, ok := m[word]
	return ok
}

// renamed reports a line whose first n words have other names now, and reads
// it under those.
func (b *builder) renamed(l line.Line, px *draft, n int, modern ...string) {
	old := written(l.Words[:n])
	words := make([]line.Word, 0, len(modern)+len(l.Words))
	for _, m := range modern {
		words = append(words, line.Word{Text: m, Pos: l.Words[0].Pos})
	}
	words = append(words, l.Words[n:]...)
	fix := written(words)
	if l.Negated {
		fix = "no " + fix
	}
	b.diags.Obsolete(l.Pos, old, fix)
	l.Words = words
	b.statement(l, px)
}
