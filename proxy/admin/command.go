package admin

import (
	"fmt"
	"slices"
	"strings"

	"herald/config"
)

// command is what a row does: it appends its answer to the session, without the
// empty line at the end.
type command struct {
	level Level
	run   func(x *session, args []string)
}

// Commands are the runtime commands, by the words they begin with.
var Commands *config.Registry[command]

// The rows call functions that list the rows, so they are joined at start.
func init() {
	Commands = config.NewRegistry(slices.Concat(sessionRows, showRows, stateRows, limitRows, checkRows, certificateRows, resolverRows)...)
}

// longest is how many words a command's name has at most.
const longest = 3

// lookup finds the row whose name the words begin with; the rest are its
// arguments.
func lookup(words []string) (config.Row[command], []string, bool) {
	for n := min(longest, len(words)); n > 0; n-- {
		if row, ok := Commands.Lookup(strings.Join(words[:n], " ")); ok {
			return row, words[n:], true
		}
	}
	return config.Row[command]{}, nil, false
}

// unknown answers what no row fits: the commands that may have been meant, or
// that HAProxy knows the command and herald does not yet.
func (x *session) unknown(words []string) {
	if len(words) == 0 {
		x.info("Unknown command. Please enter one of the following commands only:\n" + list(Commands.Rows()))
		return
	}
	if name := unbuiltName(words); name != "" {
		x.err("'" + name + "' is not supported yet.")
		return
	}
	x.info("Unknown command, but maybe one of the following ones is a better match:\n" + list(append(near(words), always()...)))
}

// near are the rows that words may have meant: those that go on as words
// begin; else those with the same first word; else the nearest by spelling.
func near(words []string) []config.Row[command] {
	line := oneLine(strings.Join(words, " "))
	for _, prefix := range []string{line + " ", words[0] + " "} {
		if rows := with(func(name string) bool { return strings.HasPrefix(name+" ", prefix) }); len(rows) > 0 {
			return rows
		}
	}
	for _, word := range []string{line, words[0]} {
		name := config.Nearest(strings.ToLower(word), Commands.Names())
		if rows := with(func(n string) bool { return n == name }); len(rows) > 0 {
			return rows
		}
	}
	return with(func(name string) bool { return config.Nearest(strings.ToLower(words[0]), strings.Fields(name)) != "" })
}

// with answers the rows whose name pleases, without those always listed.
func with(pleases func(name string) bool) []config.Row[command] {
	var rows []config.Row[command]
	for _, row := range Commands.Rows() {
		if pleases(row.Name) && !slices.Contains(alwaysNames, row.Name) {
			rows = append(rows, row)
		}
	}
	return rows
}

var alwaysNames = []string{"help", "prompt", "quit"}

func always() []config.Row[command] {
	var rows []config.Row[command]
	for _, name := range alwaysNames {
		row, _ := Commands.Lookup(name)
		rows = append(rows, row)
	}
	return rows
}

// list is the rows in HAProxy's form, without a last line feed.
func list(rows []config.Row[command]) string {
	var b strings.Builder
	for i, row := range rows {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "  %-40s: %s", row.Syntax, row.Doc)
	}
	return b.String()
}

// unbuilt are HAProxy 2.6's commands that herald has no feature for yet.
var unbuilt = []string{
	"add acl", "add map", "add server", "add ssl", "clear acl", "clear map", "clear table", "commit acl", "commit map",
	"debug dev", "del acl", "del map", "del server", "del ssl", "disable dynamic-cookie",
	"enable dynamic-cookie", "get acl", "get map", "get var", "httpclient", "new ssl", "prepare acl", "prepare map",
	"set dynamic-cookie-key", "set map", "set profiling", "set table", "set var", "show acl", "show cache",
	"show events", "show fd", "show libs", "show map", "show peers", "show profiling",
	"show startup-logs", "show table", "show tasks", "show threads", "show tls-keys", "show trace", "shutdown frontend", "trace",
}

func unbuiltName(words []string) string {
	for n := min(2, len(words)); n > 0; n-- {
		if name := strings.Join(words[:n], " "); slices.Contains(unbuilt, name) {
			return name
		}
	}
	return ""
}
