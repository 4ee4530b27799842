package stats

// Info is what `show info` tells about the process (Management Guide 9.3).
// Values herald has no counterpart for (pools, compression, peers) are absent
// here and published as zero by their rows.
type Info struct {
	Name        string `json:"name"`         // "HAProxy": tools look for the word
	Version     string `json:"version"`      // of herald
	ReleaseDate string `json:"release_date"` // "2026/11/22"
	Node        string `json:"node,omitempty"`
	Description string `json:"description,omitempty"`
	Pid         int    `json:"pid"`
	Threads     int    `json:"threads"` // event loops
	UptimeSec   int64  `json:"uptime_sec"`
	StartSec    int64  `json:"start_sec"` // Unix time
	MemMaxBytes uint64 `json:"mem_max_bytes,omitempty"`
	PoolBytes   uint64 `json:"pool_bytes,omitempty"` // heap reserved
	PoolUsed    uint64 `json:"pool_used,omitempty"`  // heap in use

	UlimitN     uint64 `json:"ulimit_n"`
	MaxSock     uint64 `json:"maxsock"`
	MaxConn     uint64 `json:"maxconn"`
	HardMaxConn uint64 `json:"hard_maxconn"`
	CurrConns   uint64 `json:"curr_conns"`
	CumConns    uint64 `json:"cum_conns"`
	CumReq      uint64 `json:"cum_req"`
	MaxTLS      uint64 `json:"max_ssl_conns,omitempty"`
	CurrTLS     uint64 `json:"curr_ssl_conns,omitempty"`
	CumTLS      uint64 `json:"cum_ssl_conns,omitempty"`

	MaxPipes  uint64 `json:"max_pipes,omitempty"`
	PipesUsed uint64 `json:"pipes_used,omitempty"`
	PipesFree uint64 `json:"pipes_free,omitempty"`

	ConnRate      uint64 `json:"conn_rate"`
	ConnRateLimit uint64 `json:"conn_rate_limit,omitempty"`
	MaxConnRate   uint64 `json:"max_conn_rate"`
	SessRate      uint64 `json:"sess_rate"`
	SessRateLimit uint64 `json:"sess_rate_limit,omitempty"`
	MaxSessRate   uint64 `json:"max_sess_rate"`

	// Handshakes of TLS in the last second, and the most in one: all with
	// clients, and those that computed keys, with either side.
	TLSRate       uint64 `json:"ssl_rate,omitempty"`
	TLSRateLimit  uint64 `json:"ssl_rate_limit,omitempty"`
	MaxTLSRate    uint64 `json:"max_ssl_rate,omitempty"`
	KeyRate       uint64 `json:"ssl_frontend_key_rate,omitempty"`
	MaxKeyRate    uint64 `json:"ssl_frontend_max_key_rate,omitempty"`
	ServerKeyRate uint64 `json:"ssl_backend_key_rate,omitempty"`
	MaxServerKeys uint64 `json:"ssl_backend_max_key_rate,omitempty"`

	Tasks    uint64 `json:"tasks,omitempty"`
	RunQueue uint64 `json:"run_queue,omitempty"`
	IdlePct  int    `json:"idle_pct"` // of the loops' time spent waiting

	Stopping    bool   `json:"stopping,omitempty"`
	Jobs        uint64 `json:"jobs,omitempty"` // listeners and sessions
	Listeners   uint64 `json:"listeners"`
	DroppedLogs uint64 `json:"dropped_logs"`

	TotalBytesOut   uint64 `json:"total_bytes_out"`
	SplicedBytesOut uint64 `json:"spliced_bytes_out,omitempty"`
	BytesOutRate    uint64 `json:"bytes_out_rate"` // bytes per second
}

// resumedShare is the percentage of the last second's handshakes that went on
// with an earlier session.
func (i *Info) resumedShare() uint64 {
	if i.TLSRate == 0 || i.KeyRate > i.TLSRate {
		return 0
	}
	return 100 * (i.TLSRate - i.KeyRate) / i.TLSRate
}
