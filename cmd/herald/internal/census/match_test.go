package census

import (
	"strings"
	"testing"

	"herald/cmd/herald/internal/ipc"
)

// The verdicts were compared with keepalived 2.2.7's on processes of these
// names and command lines, but for the long name, which it never finds.
func TestProcessesAreToldApart(t *testing.T) {
	program := func(words, match string, full bool) ipc.Program {
		argv := strings.Fields(words)
		return ipc.Program{Path: argv[0], Params: argv[1:], Match: match, Full: full}
	}
	for _, c := range []struct {
		p            ipc.Program
		comm, argv   string
		want         bool
		whatItIsNear string
	}{
		{program("web", "", false), "web", "/usr/bin/web -x", true, "the kept name, wherever it lies"},
		{program("web", "", false), "webs", "web", false, "another name"},
		{program("averylongnameindeed", "", false), "averylongnamein", "x", true, "what is kept of a long name"},
		{program("web", "", true), "x", "web -x", true, "the first word"},
		{program("web", "", true), "web", "./web", false, "the first word is a path"},
		{program("web", "exact", true), "web", "web", true, "no parameters"},
		{program("web", "exact", true), "web", "web 10", false, "no parameters, and one"},
		{program("web 10 20", "exact", true), "web", "web 10 20", true, "all parameters"},
		{program("web 10 20", "exact", true), "web", "web 10 20 30", false, "one more"},
		{program("web 10 20", "exact", true), "web", "web 10", false, "one less"},
		{program("web 10 20", "partial", true), "web", "web 10 20 30", true, "more follow"},
		{program("web 10 20", "partial", true), "web", "web 10 200", false, "the last is longer"},
		{program("web 10 20", "initial", true), "web", "web 10 200", true, "the last is longer, as said"},
		{program("web 10 20", "initial", true), "web", "web 10 200 30", true, "and more follow"},
		{program("web 10 20", "initial", true), "web", "web 100 20", false, "the first is longer"},
		{program("web", "initial", true), "web", "web 10", true, "no parameters, initial"},
		{program("web", "initial", true), "webs", "webs", false, "the name is longer"},
		{program("web", "partial", true), "web", "web 10", true, "no parameters, partial"},
		{program("web", "partial", true), "web", "", false, "no command line: the kernel's own"},
	} {
		if got := matches(c.p, c.comm, strings.Fields(c.argv)); got != c.want {
			t.Errorf("%s: %+v of %q %q: got %v, want %v", c.whatItIsNear, c.p, c.comm, c.argv, got, c.want)
		}
	}
}
