package check

import "fmt"

// Status is the outcome of a check, in HAProxy's words (Management Guide 9.1,
// field 36).
type Status int

// Outcomes of a check.
const (
	UNK Status = iota
	INI
	HANA // traffic met errors
	SOCKERR
	L4OK
	L4TOUT
	L4CON
	L6OK
	L6TOUT
	L6RSP
	L7OK
	L7OKC
	L7TOUT
	L7RSP
	L7STS
	PROCERR
	PROCTOUT
	PROCOK
	CHECKED // an agent said nothing of up or down
)

// verdict is what a status means for the server, numbered as the check result
// of `show servers state`.
type verdict int

const (
	unknown    verdict = 0
	neutral    verdict = 1
	failed     verdict = 2
	passed     verdict = 3
	passedCond verdict = 4 // up, but to be given no new sessions
)

// statuses tells what each Status is called and means; number is that of `show
// servers state`.
var statuses = [...]struct {
	word, text string
	verdict    verdict
	number     int
	coded      bool // the check has a code
}{
	UNK:      {"UNK", "Unknown", unknown, 0, false},
	INI:      {"INI", "Initializing", unknown, 1, false},
	HANA:     {"HANA", "Health analyze", failed, 4, false},
	SOCKERR:  {"SOCKERR", "Socket error", failed, 5, false},
	L4OK:     {"L4OK", "Layer4 check passed", passed, 6, false},
	L4TOUT:   {"L4TOUT", "Layer4 timeout", failed, 7, false},
	L4CON:    {"L4CON", "Layer4 connection problem", failed, 8, false},
	L6OK:     {"L6OK", "Layer6 check passed", passed, 9, false},
	L6TOUT:   {"L6TOUT", "Layer6 timeout", failed, 10, false},
	L6RSP:    {"L6RSP", "Layer6 invalid response", failed, 11, false},
	L7TOUT:   {"L7TOUT", "Layer7 timeout", failed, 12, false},
	L7RSP:    {"L7RSP", "Layer7 invalid response", failed, 13, false},
	L7OK:     {"L7OK", "Layer7 check passed", passed, 15, true},
	L7OKC:    {"L7OKC", "Layer7 check conditionally passed", passedCond, 16, true},
	L7STS:    {"L7STS", "Layer7 wrong status", failed, 17, true},
	PROCERR:  {"PROCERR", "External check error", failed, 18, true},
	PROCTOUT: {"PROCTOUT", "External check timeout", failed, 19, true},
	PROCOK:   {"PROCOK", "External check passed", passed, 20, true},
	CHECKED:  {"CHECKED", "No status change", neutral, 3, false},
}

// String is the word of the CSV: "L4OK".
func (s Status) String() string { return statuses[s].word }

// Description is the sentence of the log: "Layer4 check passed".
func (s Status) Description() string { return statuses[s].text }

// Passed reports whether the server answered as it should.
func (s Status) Passed() bool { return statuses[s].verdict >= passed }

// Printable answers text with what cannot be printed, and what ends a value of
// the log, as its hexadecimal code in angle brackets, as HAProxy has it.
func Printable(text string) string {
	strange := func(c byte) bool { return c < ' ' || c > '~' || c == '"' || c == '<' || c == '>' }
	n := 0
	for n < len(text) && !strange(text[n]) {
		n++
	}
	if n == len(text) {
		return text
	}
	b := []byte(text[:n])
	for _, c := range []byte(text[n:]) {
		if strange(c) {
			b = fmt.Appendf(b, "<%02X>", c)
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}

// infoLimit is how much of what a server said is kept.
const infoLimit = 127

// cut shortens what a check found to what is kept.
func (r Result) cut() Result {
	r.Info = r.Info[:min(len(r.Info), infoLimit)]
	return r
}
