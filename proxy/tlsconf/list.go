package tlsconf

import (
	"fmt"
	"strings"
)

// Entry is one line of a crt-list.
type Entry struct {
	Line    int // from 1
	Path    string
	Options []string // words within the brackets
	Filters []string // "www.example.com", "*.example.com", "!mail.example.com"
}

// ParseList reads a crt-list: FILE [options] names, a certificate a line; "#"
// begins a comment. Errors begin with the number of the line.
func ParseList(text string) ([]Entry, error) {
	var list []Entry
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		e := Entry{Line: i + 1}
		open, end := strings.IndexByte(line, '['), strings.IndexByte(line, ']')
		switch {
		case open < 0 && end < 0:
			e.names(strings.Fields(line))
		case open < 0 || end < open || strings.ContainsAny(line[open+1:end], "["):
			return nil, fmt.Errorf(":%d: a bracket stands alone", i+1)
		default:
			if fields := strings.Fields(line[:open]); len(fields) != 1 {
				return nil, fmt.Errorf(":%d: the options come after the file", i+1)
			}
			e.Options = strings.Fields(line[open+1 : end])
			e.names(append(strings.Fields(line[:open]), strings.Fields(line[end+1:])...))
		}
		list = append(list, e)
	}
	return list, nil
}

// names takes the file and the filters of a line.
func (e *Entry) names(fields []string) {
	e.Path = fields[0]
	for _, f := range fields[1:] {
		if f[0] == '#' { // a comment behind the names
			return
		}
		e.Filters = append(e.Filters, f)
	}
}
