package assemble

import (
	"os"
	"strconv"
	"strings"
)

// routingFiles are iproute's tables of names; the second place is where newer
// versions ship theirs.
var routingFiles = map[string][]string{
	"table":    {"/etc/iproute2/rt_tables", "/usr/share/iproute2/rt_tables"},
	"protocol": {"/etc/iproute2/rt_protos", "/usr/share/iproute2/rt_protos"},
	"scope":    {"/etc/iproute2/rt_scopes", "/usr/share/iproute2/rt_scopes"},
	"dsfield":  {"/etc/iproute2/rt_dsfield", "/usr/share/iproute2/rt_dsfield"},
	"realms":   {"/etc/iproute2/rt_realms", "/usr/share/iproute2/rt_realms"},
	"group":    {"/etc/iproute2/group", "/usr/share/iproute2/group"},
}

// lookupRouting finds a name in iproute's files.
func lookupRouting(kind, name string) (int, bool) {
	for _, file := range routingFiles[kind] {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if n, ok := numberOf(string(text), name); ok {
			return n, true
		}
	}
	return 0, false
}

// numberOf finds a name in lines of "number name", where # begins a comment.
func numberOf(text, name string) (int, bool) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) < 2 || f[1] != name {
			continue
		}
		if n, err := strconv.ParseInt(f[0], 0, 64); err == nil && n >= 0 {
			return int(n), true
		}
	}
	return 0, false
}
