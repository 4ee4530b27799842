package check

// Status is the outcome of a check, in HAProxy's words (Management Guide 9.1,
// field 36).
type Status int

// Outcomes of a check.
const (
	UNK Status = iota
	INI
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
)

// verdict is what a status means for the server, numbered as the check result
// of `show servers state`.
type verdict int

const (
	unknown    verdict = 0
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
}{
	UNK:      {"UNK", "Unknown", unknown, 0},
	INI:      {"INI", "Initializing", unknown, 1},
	SOCKERR:  {"SOCKERR", "Socket error", failed, 5},
	L4OK:     {"L4OK", "Layer4 check passed", passed, 6},
	L4TOUT:   {"L4TOUT", "Layer4 timeout", failed, 7},
	L4CON:    {"L4CON", "Layer4 connection problem", failed, 8},
	L6OK:     {"L6OK", "Layer6 check passed", passed, 9},
	L6TOUT:   {"L6TOUT", "Layer6 timeout", failed, 10},
	L6RSP:    {"L6RSP", "Layer6 invalid response", failed, 11},
	L7TOUT:   {"L7TOUT", "Layer7 timeout", failed, 12},
	L7RSP:    {"L7RSP", "Layer7 invalid response", failed, 13},
	L7OK:     {"L7OK", "Layer7 check passed", passed, 15},
	L7OKC:    {"L7OKC", "Layer7 check conditionally passed", passedCond, 16},
	L7STS:    {"L7STS", "Layer7 wrong status", failed, 17},
	PROCERR:  {"PROCERR", "External check error", failed, 18},
	PROCTOUT: {"PROCTOUT", "External check timeout", failed, 19},
	PROCOK:   {"PROCOK", "External check passed", passed, 20},
}

// String is the word of the CSV: "L4OK".
func (s Status) String() string { return statuses[s].word }

// Description is the sentence of the log: "Layer4 check passed".
func (s Status) Description() string { return statuses[s].text }

// Passed reports whether the server answered as it should.
func (s Status) Passed() bool { return statuses[s].verdict >= passed }
