package settings

// Reuse says which requests may take an idle connection to a server
// (Configuration manual 4.2, "http-reuse").
type Reuse int

// Policies; ReuseSafe is the default.
const (
	// ReuseSafe: not the first request of a client, which could not be sent
	// again by that client if the connection proved dead.
	ReuseSafe Reuse = iota
	// ReuseNever: only the client's own, from its previous request.
	ReuseNever
	// ReuseAggressive: a first request too, on a connection that was reused
	// before.
	ReuseAggressive
	// ReuseAlways: every request.
	ReuseAlways
)

// RetryOn is the set of failures after which a request is sent again
// (Configuration manual 4.2, "retry-on"). The zero value is the default:
// connection failures.
type RetryOn uint32

// Failures. The statuses are those the manual allows.
const (
	RetryNone RetryOn = 1 << iota
	RetryConnFailure
	RetryEmptyResponse
	RetryJunkResponse
	RetryResponseTimeout
	Retry0RTTRejected
	Retry401
	Retry403
	Retry404
	Retry408
	Retry425
	Retry500
	Retry501
	Retry502
	Retry503
	Retry504
)

// RetryAll is "all-retryable-errors".
const RetryAll = RetryConnFailure | RetryEmptyResponse | RetryJunkResponse | RetryResponseTimeout | Retry0RTTRejected |
	Retry500 | Retry502 | Retry503 | Retry504

// Has reports whether a request is sent again after a failure of this kind.
func (r RetryOn) Has(kind RetryOn) bool {
	if r == 0 {
		return kind == RetryConnFailure
	}
	return r&kind != 0
}

// RetryStatus is the kind of a response's status; 0 for one that is never
// retried.
func RetryStatus(status int) RetryOn {
	switch status {
	case 401:
		return Retry401
	case 403:
		return Retry403
	case 404:
		return Retry404
	case 408:
		return Retry408
	case 425:
		return Retry425
	case 500:
		return Retry500
	case 501:
		return Retry501
	case 502:
		return Retry502
	case 503:
		return Retry503
	case 504:
		return Retry504
	}
	return 0
}
