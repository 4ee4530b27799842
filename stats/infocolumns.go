package stats

import "fmt"

// InfoColumn is one line of `show info`.
type InfoColumn struct {
	Name   string // "Uptime_sec"
	Metric string // Prometheus name after "haproxy_process_"; empty when there is none
	Help   string // one line, without a full stop
	Tags   Tags
	Kind   Kind
	get    func(*Info) Value
}

// Of answers the column's value, absent when the process has none.
func (c *InfoColumn) Of(i *Info) Value {
	v := c.get(i)
	if v.Present() {
		v.Kind = c.Kind
	}
	return v
}

func process(get func(*Info) uint64) func(*Info) Value {
	return func(i *Info) Value { return Value{Kind: Uint64, Number: int64(get(i))} }
}

func said(get func(*Info) string) func(*Info) Value {
	return func(i *Info) Value { return Value{Kind: Text, Text: get(i)} }
}

func flag(set bool) uint64 {
	if set {
		return 1
	}
	return 0
}

func zero(*Info) uint64 { return 0 }

func one(*Info) uint64 { return 1 }

func absent(*Info) Value { return Value{} }

// unbuilt is a line of a part of HAProxy that is not counted here: zero.
func unbuilt(name, metric, help string, tags Tags) InfoColumn {
	return InfoColumn{name, metric, help, tags, Uint32, process(zero)}
}

const megabyte = 1 << 20

// InfoColumns are the lines of HAProxy 2.6's `show info` in its order
// (Management Guide 9.3, "show info"). ZlibMemUsage and its limit keep their
// places although Debian's build does not show them.
var InfoColumns = []InfoColumn{
	{"Name", "", "name of the product", "POS", Text, said(func(i *Info) string { return i.Name })},
	{"Version", "", "version of the product", "POS", Text, said(func(i *Info) string { return i.Version })},
	{"Release_date", "", "date of the version", "POS", Text, said(func(i *Info) string { return i.ReleaseDate })},
	{"Nbthread", "nbthread", "event loops", "CGS", Uint32, process(func(i *Info) uint64 { return uint64(i.Threads) })},
	{"Nbproc", "nbproc", "processes, always 1", "CGS", Uint32, process(one)},
	{"Process_num", "relative_process_id", "number of the process, always 1", "KGP", Uint32, process(one)},
	{"Pid", "", "process identifier", "SGP", Uint32, process(func(i *Info) uint64 { return uint64(i.Pid) })},
	{"Uptime", "", "time since the start", "MDP", Text, said(uptime)},
	{"Uptime_sec", "uptime_seconds", "seconds since the start", "MDP", Uint32, process(func(i *Info) uint64 { return uint64(i.UptimeSec) })},
	{"Memmax_MB", "", "limit of memory in megabytes, 0 for none", "CLP", Uint32, process(func(i *Info) uint64 { return i.MemMaxBytes / megabyte })},
	{"PoolAlloc_MB", "", "memory reserved in megabytes", "MGP", Uint32, process(func(i *Info) uint64 { return i.PoolBytes / megabyte })},
	{"PoolUsed_MB", "", "memory in use in megabytes", "MGP", Uint32, process(func(i *Info) uint64 { return i.PoolUsed / megabyte })},
	unbuilt("PoolFailed", "pool_failures_total", "allocations that failed, always 0", "MCP"),
	{"Ulimit-n", "max_fds", "limit of open descriptors", "CLP", Uint32, process(func(i *Info) uint64 { return i.UlimitN })},
	{"Maxsock", "max_sockets", "limit of sockets", "CLP", Uint32, process(func(i *Info) uint64 { return i.MaxSock })},
	{"Maxconn", "max_connections", "limit of connections in force", "CLP", Uint32, process(func(i *Info) uint64 { return i.MaxConn })},
	{"Hard_maxconn", "hard_max_connections", "limit of connections as configured", "CLP", Uint32, process(func(i *Info) uint64 { return i.HardMaxConn })},
	{"CurrConns", "current_connections", "connections now", "MGP", Uint32, process(func(i *Info) uint64 { return i.CurrConns })},
	{"CumConns", "connections_total", "connections so far", "MCP", Uint32, process(func(i *Info) uint64 { return i.CumConns })},
	{"CumReq", "requests_total", "requests so far", "MCP", Uint32, process(func(i *Info) uint64 { return i.CumReq })},
	{"MaxSslConns", "max_ssl_connections", "limit of TLS connections, 0 for none", "MMP", Uint32, process(func(i *Info) uint64 { return i.MaxTLS })},
	{"CurrSslConns", "current_ssl_connections", "TLS connections now", "MGP", Uint32, process(func(i *Info) uint64 { return i.CurrTLS })},
	{"CumSslConns", "ssl_connections_total", "TLS connections so far", "MCP", Uint32, process(func(i *Info) uint64 { return i.CumTLS })},
	{"Maxpipes", "max_pipes", "limit of pipes", "CLP", Uint32, process(func(i *Info) uint64 { return i.MaxPipes })},
	{"PipesUsed", "pipes_used_total", "pipes in use", "MGP", Uint32, process(func(i *Info) uint64 { return i.PipesUsed })},
	{"PipesFree", "pipes_free_total", "pipes kept for reuse", "MGP", Uint32, process(func(i *Info) uint64 { return i.PipesFree })},
	{"ConnRate", "current_connection_rate", "connections in the last second", "MRP", Uint32, process(func(i *Info) uint64 { return i.ConnRate })},
	{"ConnRateLimit", "limit_connection_rate", "limit of connections in a second, 0 for none", "CLP", Uint32, process(func(i *Info) uint64 { return i.ConnRateLimit })},
	{"MaxConnRate", "max_connection_rate", "most connections in a second", "MMP", Uint32, process(func(i *Info) uint64 { return i.MaxConnRate })},
	{"SessRate", "current_session_rate", "sessions in the last second", "MRP", Uint32, process(func(i *Info) uint64 { return i.SessRate })},
	{"SessRateLimit", "limit_session_rate", "limit of sessions in a second, 0 for none", "CLP", Uint32, process(func(i *Info) uint64 { return i.SessRateLimit })},
	{"MaxSessRate", "max_session_rate", "most sessions in a second", "MRP", Uint32, process(func(i *Info) uint64 { return i.MaxSessRate })},
	{"SslRate", "current_ssl_rate", "TLS sessions in the last second", "MRP", Uint32, process(func(i *Info) uint64 { return i.TLSRate })},
	{"SslRateLimit", "limit_ssl_rate", "limit of TLS sessions in a second, 0 for none", "CLP", Uint32, process(func(i *Info) uint64 { return i.TLSRateLimit })},
	{"MaxSslRate", "max_ssl_rate", "most TLS sessions in a second", "MMP", Uint32, process(func(i *Info) uint64 { return i.MaxTLSRate })},
	{"SslFrontendKeyRate", "current_frontend_ssl_key_rate", "TLS keys computed for clients in the last second", "MGP", Uint32, process(func(i *Info) uint64 { return i.KeyRate })},
	{"SslFrontendMaxKeyRate", "max_frontend_ssl_key_rate", "most TLS keys computed for clients in a second", "MMP", Uint32, process(func(i *Info) uint64 { return i.MaxKeyRate })},
	{"SslFrontendSessionReuse_pct", "frontend_ssl_reuse", "percentage of TLS sessions resumed", "MGP", Uint32, process(func(i *Info) uint64 { return i.resumedShare() })},
	{"SslBackendKeyRate", "current_backend_ssl_key_rate", "TLS keys computed for servers in the last second", "MRP", Uint32, process(func(i *Info) uint64 { return i.ServerKeyRate })},
	{"SslBackendMaxKeyRate", "max_backend_ssl_key_rate", "most TLS keys computed for servers in a second", "MMP", Uint32, process(func(i *Info) uint64 { return i.MaxServerKeys })},
	unbuilt("SslCacheLookups", "ssl_cache_lookups_total", "lookups in the TLS session cache", "MCP"),
	unbuilt("SslCacheMisses", "ssl_cache_misses_total", "lookups the TLS session cache could not answer", "MCP"),
	unbuilt("CompressBpsIn", "http_comp_bytes_in_total", "bytes compressed in the last second", "MRP"),
	unbuilt("CompressBpsOut", "http_comp_bytes_out_total", "bytes after compression in the last second", "MRP"),
	unbuilt("CompressBpsRateLim", "limit_http_comp", "limit of compressed bytes in a second", "CLP"),
	{"ZlibMemUsage", "", "memory of the compressor, always absent", "MGP", Uint32, absent},
	{"MaxZlibMemUsage", "", "limit of the memory of the compressor, always absent", "CLP", Uint32, absent},
	{"Tasks", "current_tasks", "tasks now", "MGP", Uint32, process(func(i *Info) uint64 { return i.Tasks })},
	{"Run_queue", "current_run_queue", "tasks waiting to run", "MGP", Uint32, process(func(i *Info) uint64 { return i.RunQueue })},
	{"Idle_pct", "idle_time_percent", "percentage of time the loops wait", "MaP", Uint32, process(func(i *Info) uint64 { return uint64(max(i.IdlePct, 0)) })},
	{"node", "", "name of the node", "COS", Text, said(func(i *Info) string { return i.Node })},
	{"description", "", "description of the process", "COS", Text, func(i *Info) Value {
		if i.Description == "" {
			return Value{}
		}
		return Value{Kind: Text, Text: i.Description}
	}},
	{"Stopping", "stopping", "1 while the process drains", "MGP", Uint32, process(func(i *Info) uint64 { return flag(i.Stopping) })},
	{"Jobs", "jobs", "listeners and connections", "MGP", Uint32, process(func(i *Info) uint64 { return i.Jobs })},
	unbuilt("Unstoppable Jobs", "unstoppable_jobs", "jobs that do not end when the process drains", "MGP"),
	{"Listeners", "listeners", "listeners", "MGP", Uint32, process(func(i *Info) uint64 { return i.Listeners })},
	unbuilt("ActivePeers", "active_peers", "peers that exchange tables", "MGP"),
	unbuilt("ConnectedPeers", "connected_peers", "peers connected", "MGP"),
	{"DroppedLogs", "dropped_logs_total", "log lines dropped", "MGP", Uint32, process(func(i *Info) uint64 { return i.DroppedLogs })},
	unbuilt("BusyPolling", "busy_polling_enabled", "1 when the loops never wait", "MGP"),
	unbuilt("FailedResolutions", "failed_resolutions", "name resolutions that failed", "MGP"),
	{"TotalBytesOut", "bytes_out_total", "bytes sent to clients", "MGP", Uint64, process(func(i *Info) uint64 { return i.TotalBytesOut })},
	// The misspelling is HAProxy's and part of its interface.
	{"TotalSplicdedBytesOut", "spliced_bytes_out_total", "bytes sent without a copy", "MGP", Uint64, process(func(i *Info) uint64 { return i.SplicedBytesOut })},
	{"BytesOutRate", "bytes_out_rate", "bytes sent in the last second", "MRP", Uint64, process(func(i *Info) uint64 { return i.BytesOutRate })},
	unbuilt("DebugCommandsIssued", "", "debugging commands given, always 0", "MGP"),
	unbuilt("CumRecvLogs", "recv_logs_total", "log lines received, always 0", "MCP"),
	{"Build info", "", "version as built", "POS", Text, said(func(i *Info) string { return i.Version })},
	{"Memmax_bytes", "max_memory_bytes", "limit of memory, 0 for none", "CLP", Uint32, process(func(i *Info) uint64 { return i.MemMaxBytes })},
	{"PoolAlloc_bytes", "pool_allocated_bytes", "memory reserved", "MGP", Uint64, process(func(i *Info) uint64 { return i.PoolBytes })},
	{"PoolUsed_bytes", "pool_used_bytes", "memory in use", "MGP", Uint64, process(func(i *Info) uint64 { return i.PoolUsed })},
	{"Start_time_sec", "start_time_seconds", "Unix time of the start", "MDP", Uint32, process(func(i *Info) uint64 { return uint64(i.StartSec) })},
	{"Tainted", "", "marks of unsafe use, always 0", "SGP", Text, said(func(*Info) string { return "0" })},
}

func uptime(i *Info) string { return Uptime(i.UptimeSec) }

// Uptime is a number of seconds in the form of `show info`: "0d 0h00m44s".
func Uptime(s int64) string {
	return fmt.Sprintf("%dd %dh%02dm%02ds", s/86400, s/3600%24, s/60%60, s%60)
}
