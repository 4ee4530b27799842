package config

import (
	"fmt"
	"slices"
	"strings"
)

// Severity says what a diagnostic does to the start of the program.
type Severity int

const (
	// Notice informs; nothing is wrong.
	Notice Severity = iota
	// Warning names something accepted that is probably not meant, or that
	// has a modern form.
	Warning
	// Error names something that cannot be run. A HAProxy file with an error
	// refuses to start; a keepalived instance with one is left out.
	Error
)

// String returns the severity in lower case.
func (s Severity) String() string {
	switch s {
	case Notice:
		return "notice"
	case Warning:
		return "warning"
	default:
		return "error"
	}
}

// Kind sorts diagnostics by what is wrong, so that tests and tools branch on
// it instead of on the text.
type Kind int

const (
	// Other is everything without a kind of its own: values, missing things.
	Other Kind = iota
	// Unknown is a word that neither HAProxy nor keepalived knows.
	Unknown
	// Unsupported is a word HAProxy or keepalived knows and herald does not
	// act on yet.
	Unsupported
	// Obsolete is an old form that is accepted; Fix holds the modern line.
	Obsolete
	// Cross is a finding between sections or between the two files.
	Cross
)

// Diagnostic is one finding in a configuration.
type Diagnostic struct {
	Pos      Pos
	Severity Severity
	Kind     Kind
	Word     string // the offending word, as written
	Message  string // lower case, what is wrong and what was expected
	Fix      string // the modern line or nearest known word; may be empty
}

// String returns "file:line: severity: message (fix)" on one line.
func (d Diagnostic) String() string {
	var b strings.Builder
	if at := d.Pos.String(); at != "" {
		b.WriteString(at)
		b.WriteString(": ")
	}
	b.WriteString(d.Severity.String())
	b.WriteString(": ")
	b.WriteString(d.Message)
	if d.Fix != "" {
		b.WriteString(": ")
		b.WriteString(d.Fix)
	}
	return b.String()
}

// Diagnostics collects findings. The zero value is ready; it is owned by the
// goroutine that loads the configuration.
type Diagnostics struct {
	list []Diagnostic
}

// Add appends one finding.
func (ds *Diagnostics) Add(d Diagnostic) { ds.list = append(ds.list, d) }

// Errorf adds an error about word at pos.
func (ds *Diagnostics) Errorf(pos Pos, word, format string, args ...any) {
	ds.Add(Diagnostic{Pos: pos, Severity: Error, Word: word, Message: fmt.Sprintf(format, args...)})
}

// Warnf adds a warning about word at pos.
func (ds *Diagnostics) Warnf(pos Pos, word, format string, args ...any) {
	ds.Add(Diagnostic{Pos: pos, Severity: Warning, Word: word, Message: fmt.Sprintf(format, args...)})
}

// Noticef adds a notice about word at pos.
func (ds *Diagnostics) Noticef(pos Pos, word, format string, args ...any) {
	ds.Add(Diagnostic{Pos: pos, Severity: Notice, Word: word, Message: fmt.Sprintf(format, args...)})
}

// Unknown adds a finding about a word nobody knows, with the nearest of known
// as the fix when one is near.
func (ds *Diagnostics) Unknown(pos Pos, sev Severity, what, word string, known []string) {
	d := Diagnostic{Pos: pos, Severity: sev, Kind: Unknown, Word: word,
		Message: fmt.Sprintf("unknown %s %q", what, word)}
	if near := Nearest(word, known); near != "" {
		d.Fix = fmt.Sprintf("did you mean %q?", near)
	}
	ds.Add(d)
}

// Unsupported adds a finding about a word that is known to HAProxy or
// keepalived (origin) and that herald does not act on yet. Instead, if given,
// is what herald does.
func (ds *Diagnostics) Unsupported(pos Pos, sev Severity, what, word, origin string, instead ...string) {
	ds.Add(Diagnostic{Pos: pos, Severity: sev, Kind: Unsupported, Word: word, Fix: strings.Join(instead, ""),
		Message: fmt.Sprintf("%s %q is known to %s but not supported yet", what, word, origin)})
}

// Obsolete adds a warning about an old form that is accepted; modern is the
// line to write instead.
func (ds *Diagnostics) Obsolete(pos Pos, word, modern string) {
	ds.Add(Diagnostic{Pos: pos, Severity: Warning, Kind: Obsolete, Word: word,
		Message: fmt.Sprintf("%q is an old form, accepted here; write", word), Fix: modern})
}

// List returns the findings in the order they stand in, Sort first for file
// order.
func (ds *Diagnostics) List() []Diagnostic { return ds.list }

// Append adds all findings of other.
func (ds *Diagnostics) Append(other *Diagnostics) { ds.list = append(ds.list, other.list...) }

// Sort orders the findings by position, keeping the order of findings at one
// place.
func (ds *Diagnostics) Sort() {
	slices.SortStableFunc(ds.list, func(a, b Diagnostic) int {
		switch {
		case a.Pos.Before(b.Pos):
			return -1
		case b.Pos.Before(a.Pos):
			return 1
		}
		return 0
	})
}

// Worst returns the highest severity present; ok is false when there is none.
func (ds *Diagnostics) Worst() (s Severity, ok bool) {
	for _, d := range ds.list {
		s = max(s, d.Severity)
	}
	return s, len(ds.list) > 0
}

// HasErrors reports whether any finding is an error.
func (ds *Diagnostics) HasErrors() bool {
	s, ok := ds.Worst()
	return ok && s == Error
}
