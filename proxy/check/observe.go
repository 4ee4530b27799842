package check

import "fmt"

// OnError is what errors that traffic met do to a checked server
// (Configuration manual 5.2, "on-error").
type OnError int

// Modes of on-error; FailCheck is the default. All of them bring the next
// check forward to fastinter.
const (
	FailCheck   OnError = iota // as one failed check
	FastInter                  // nothing more
	SuddenDeath                // as a failed check that leaves one more
	MarkDown                   // down at once
)

// Seen is what traffic met at a server.
type Seen int

// What is seen.
const (
	Connected Seen = iota
	NotConnected
	GoodResponse
	WrongStatus // other than 100 to 499, 501 and 505
	BadHeaders
	BadResponse
	ReadFailed
	TimedOut
	Closed
)

// seen is what a word of Seen is called, and what it means under observe
// layer4 and layer7.
var seen = [...]struct {
	text           string
	layer4, layer7 meaning
}{
	Connected:    {"L4 successful connection", good, silent},
	NotConnected: {"L4 unsuccessful connection", bad, bad},
	GoodResponse: {"Correct http response", silent, good},
	WrongStatus:  {"Wrong http response", silent, bad},
	BadHeaders:   {"Invalid http response (headers)", silent, bad},
	BadResponse:  {"Invalid http response", silent, bad},
	ReadFailed:   {"Read error (http)", silent, bad},
	TimedOut:     {"Read timeout (http)", silent, bad},
	Closed:       {"Close from server (http)", silent, bad},
}

type meaning uint8

const (
	silent meaning = iota
	good
	bad
)

// Good and Bad report what s means for a server that is observed on layer 7,
// or else on layer 4. It may be neither.
func (s Seen) Good(layer7 bool) bool { return s.meaning(layer7) == good }

// Bad is documented at Good.
func (s Seen) Bad(layer7 bool) bool { return s.meaning(layer7) == bad }

func (s Seen) meaning(layer7 bool) meaning {
	if layer7 {
		return seen[s].layer7
	}
	return seen[s].layer4
}

// Errors is the Event of n errors in a row, the last of which was s.
func Errors(n int, s Seen) Event {
	return Event{Kind: Erred, Chance: 0.5, Result: Result{Status: HANA, Info: fmt.Sprintf("Detected %d consecutive errors, last one was: %s", n, seen[s].text)}}
}

// erred does what on-error says.
func (m *move) erred(e Event) {
	if !m.s.Checking(m.c) {
		return
	}
	next := m.s.Next
	switch m.c.OnError {
	case FastInter:
	case SuddenDeath:
		if m.s.Health > m.c.Rise {
			m.s.Health = m.c.Rise + 1
		}
		m.checked(e.Result, e.Chance)
	case MarkDown:
		m.s.Health = m.c.Rise
		m.checked(e.Result, e.Chance)
	default:
		m.checked(e.Result, e.Chance)
	}
	m.s.Next = next
	if fast := m.now.Add(m.c.Fast); m.c.Fast > 0 && fast.Before(next) {
		m.s.Next = fast
	}
}
