package settings

// Track names the server whose health another follows; the zero value is
// none.
type Track struct {
	Backend, Server string
}

// Observe is which traffic of a server tells of its health.
type Observe int

// Modes of observe.
const (
	ObserveNothing Observe = iota
	ObserveLayer4
	ObserveLayer7
)

// OnError is what errors in a row do to an observed server.
type OnError int

// Modes of on-error, in the order of proxy/check.
const (
	OnErrorFailCheck OnError = iota
	OnErrorFastInter
	OnErrorSuddenDeath
	OnErrorMarkDown
)
