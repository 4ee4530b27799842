package h1

// Verdict is the outcome of reading: Incomplete, Complete, or the reason a
// message is refused.
type Verdict uint8

// Verdicts.
const (
	Incomplete Verdict = iota
	Complete
	BadMethod
)

// Bad reports that v is a refusal.
func (v Verdict) Bad() bool { return v > Complete }

// Status is the status code a client is answered with for v: 400 unless
// another fits better. A response with a bad verdict is a 502.
func (v Verdict) Status() int { return 400 }

// String names the reason in lower case, for logs and tests.
func (v Verdict) String() string { return "" }
