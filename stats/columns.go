package stats

const (
	f  = Frontends
	b  = Backends
	s  = Servers
	l  = Listeners
	fb = f | b
	bs = b | s
)

// FirstModule is the place of the first column of HAProxy's modules. In the
// CSV, and only there, a column "-" with the value "-" stands before it.
const FirstModule = 103

// Columns are HAProxy 2.6's statistics in the order of its CSV. Names, order
// and tags are part of its interface (Management Guide 9.1 and 9.2).
var Columns = []Column{
	{"pxname", "", "proxy the row belongs to", AllRows, "KNS", Text, false, text(func(r *Row) string { return r.Proxy })},
	{"svname", "", "FRONTEND, BACKEND, or the name of the server or listener", AllRows, "KNS", Text, false, text(func(r *Row) string { return r.Name })},
	{"qcur", "current_queue", "requests waiting for a server now", bs, "MGP", Uint32, false, count(func(r *Row) uint64 { return r.QueueCur })},
	{"qmax", "max_queue", "most requests that waited at once", bs, "MMP", Uint32, false, count(func(r *Row) uint64 { return r.QueueMax })},
	{"scur", "current_sessions", "sessions now", AllRows, "MGP", Uint32, false, count(func(r *Row) uint64 { return r.SessCur })},
	{"smax", "max_sessions", "most sessions at once", AllRows, "MMP", Uint32, false, count(func(r *Row) uint64 { return r.SessMax })},
	{"slim", "limit_sessions", "maxconn of a frontend, listener or server, fullconn of a backend", AllRows, "CLP", Uint32, false,
		when(func(r *Row) bool { return r.Type != ServerRow || r.SessLimit > 0 }, count(func(r *Row) uint64 { return r.SessLimit }))},
	{"stot", "sessions_total", "sessions so far", AllRows, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.SessTotal })},
	{"bin", "bytes_in_total", "bytes of requests", AllRows, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.BytesIn })},
	{"bout", "bytes_out_total", "bytes of responses", AllRows, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.BytesOut })},
	{"dreq", "requests_denied_total", "requests refused by a rule", fb | l, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.DeniedReq })},
	{"dresp", "responses_denied_total", "responses refused by a rule", AllRows, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.DeniedResp })},
	{"ereq", "request_errors_total", "invalid or aborted requests", f | l, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.ErrReq })},
	{"econ", "connection_errors_total", "connections to servers that failed", bs, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.ErrConn })},
	{"eresp", "response_errors_total", "invalid or aborted responses", bs, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.ErrResp })},
	{"wretr", "retry_warnings_total", "connections tried again", bs, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.Retries })},
	{"wredis", "redispatch_warnings_total", "requests sent to another server after a failure", bs, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.Redispatches })},
	{"status", "status", "state of the frontend, listener, server or backend", AllRows, "SGP", Text, false, text(func(r *Row) string { return r.Status })},
	{"weight", "weight", "weight in force, of a backend the sum over its usable servers", bs, "MaP", Uint32, false, whole(func(r *Row) int { return r.Weight })},
	{"act", "active_servers", "usable active servers, of a server whether it is active", bs, "MGP", Uint32, false, whole(func(r *Row) int { return r.Active })},
	{"bck", "backup_servers", "usable backup servers, of a server whether it is a backup", bs, "MGP", Uint32, false, whole(func(r *Row) int { return r.Backup })},
	{"chkfail", "check_failures_total", "health checks that failed while the server was up", s, "MCP", Uint64, false, when(hasCheck, count(func(r *Row) uint64 { return r.CheckFails }))},
	{"chkdown", "check_up_down_total", "transitions from up to down", bs, "MCP", Uint64, false, when(hasCheck, count(func(r *Row) uint64 { return r.CheckDowns }))},
	{"lastchg", "check_last_change_seconds", "seconds since the last change of state", bs, "MAP", Uint32, false, seconds(func(r *Row) int64 { return r.LastChange })},
	{"downtime", "downtime_seconds_total", "seconds spent down", bs, "MCP", Uint32, false,
		when(func(r *Row) bool { return hasCheck(r) && !r.NoServers }, seconds(func(r *Row) int64 { return r.Downtime }))},
	{"qlimit", "queue_limit", "maxqueue of the server", s, "CLS", Uint32, false,
		when(func(r *Row) bool { return r.QueueLimit > 0 }, count(func(r *Row) uint64 { return r.QueueLimit }))},
	{"pid", "", "process number, always 1", AllRows, "KGP", Uint32, false, whole(func(*Row) int { return 1 })},
	{"iid", "", "number of the proxy", AllRows, "KGS", Uint32, false, whole(func(r *Row) int { return r.ProxyID })},
	{"sid", "", "number of the server or listener within its proxy", AllRows, "KGS", Uint32, false, whole(func(r *Row) int { return r.ID })},
	{"throttle", "current_throttle", "percentage of the weight in force during slowstart", s, "MaP", Uint32, false,
		when(func(r *Row) bool { return r.Throttle > 0 }, whole(func(r *Row) int { return r.Throttle }))},
	{"lbtot", "loadbalanced_total", "times a server was chosen by the balancing", bs, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.LBTotal })},
	{"tracked", "", "server whose health this one follows", s, "CNS", Text, false, text(func(r *Row) string { return r.Tracked })},
	{"type", "", "0 frontend, 1 backend, 2 server, 3 listener", AllRows, "CGS", Uint32, false, whole(func(r *Row) int { return int(r.Type) })},
	{"rate", "", "sessions in the last second", fb | s, "MRP", Uint32, false, count(func(r *Row) uint64 { return r.SessRate })},
	{"rate_lim", "limit_session_rate", "limit of sessions in a second", f, "CLP", Uint32, false, count(func(r *Row) uint64 { return r.SessRateLimit })},
	{"rate_max", "max_session_rate", "most sessions in a second", fb | s, "MMP", Uint32, false, count(func(r *Row) uint64 { return r.SessRateMax })},
	{"check_status", "check_status", "outcome of the last health check", s, "MOP", Text, false, when(checked, text(checkStatus))},
	{"check_code", "check_code", "status code of the last health check", s, "MOP", Uint32, false,
		when(func(r *Row) bool { return checked(r) && (r.CheckCoded || r.CheckCode > 0) }, whole(func(r *Row) int { return r.CheckCode }))},
	{"check_duration", "check_duration_seconds", "time the last health check took", s, "MDP", Uint64, false,
		when(func(r *Row) bool { return checked(r) && r.CheckDuration >= 0 }, seconds(func(r *Row) int64 { return r.CheckDuration }))},
	{"hrsp_1xx", "http_responses_total", "responses by class of status", fb | s, "MCP", Uint64, false, responses(0)},
	{"hrsp_2xx", "http_responses_total", "responses by class of status", fb | s, "MCP", Uint64, false, responses(1)},
	{"hrsp_3xx", "http_responses_total", "responses by class of status", fb | s, "MCP", Uint64, false, responses(2)},
	{"hrsp_4xx", "http_responses_total", "responses by class of status", fb | s, "MCP", Uint64, false, responses(3)},
	{"hrsp_5xx", "http_responses_total", "responses by class of status", fb | s, "MCP", Uint64, false, responses(4)},
	{"hrsp_other", "http_responses_total", "responses by class of status", fb | s, "MCP", Uint64, false, responses(5)},
	{"hanafail", "failed_health_analyses_total", "times errors of the traffic reached the limit of observe", s, "MCP", Uint64, false,
		when(func(r *Row) bool { return r.Observed }, count(func(r *Row) uint64 { return r.Analyses }))},
	{"req_rate", "", "requests in the last second", f, "MRP", Uint32, false, count(func(r *Row) uint64 { return r.ReqRate })},
	{"req_rate_max", "http_requests_rate_max", "most requests in a second", f, "MMP", Uint32, false, count(func(r *Row) uint64 { return r.ReqRateMax })},
	{"req_tot", "http_requests_total", "requests so far", fb | s, "MCP", Uint64, false,
		when(func(r *Row) bool { return r.Type == FrontendRow || inHTTP(r) }, count(func(r *Row) uint64 { return r.ReqTotal }))},
	{"cli_abrt", "client_aborts_total", "transfers the client cut", bs, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.ClientAborts })},
	{"srv_abrt", "server_aborts_total", "transfers the server cut", bs, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.ServerAborts })},
	{"comp_in", "http_comp_bytes_in_total", "bytes given to the compressor", fb, "MCP", Uint64, false, count(none)},
	{"comp_out", "http_comp_bytes_out_total", "bytes the compressor gave", fb, "MCP", Uint64, false, count(none)},
	{"comp_byp", "http_comp_bytes_bypassed_total", "bytes that passed the compressor by", fb, "MCP", Uint64, false, count(none)},
	{"comp_rsp", "http_comp_responses_total", "responses compressed", fb, "MCP", Uint64, false, count(none)},
	{"lastsess", "last_session_seconds", "seconds since the last session, -1 before the first", bs, "MAP", Int32, false, seconds(func(r *Row) int64 { return r.LastSession })},
	{"last_chk", "", "what the last health check saw", s, "MOP", Text, false, when(checked, text(func(r *Row) string { return r.LastCheck }))},
	{"last_agt", "", "what the last agent check saw", s, "MOP", Text, false, when(agentChecked, text(func(r *Row) string { return r.LastAgent }))},
	{"qtime", "queue_time_average_seconds", "average time in the queue over the last 1024 requests", bs, "MaP", Uint32, false, count(func(r *Row) uint64 { return r.QueueTime })},
	{"ctime", "connect_time_average_seconds", "average time to connect over the last 1024 requests", bs, "MaP", Uint32, false, count(func(r *Row) uint64 { return r.ConnectTime })},
	{"rtime", "response_time_average_seconds", "average time to the response over the last 1024 requests", bs, "MaP", Uint32, false, count(func(r *Row) uint64 { return r.ResponseTime })},
	{"ttime", "total_time_average_seconds", "average time in all over the last 1024 requests", bs, "MaP", Uint32, false, count(func(r *Row) uint64 { return r.TotalTime })},
	{"agent_status", "", "outcome of the last agent check", s, "MOP", Text, false, when(agentChecked, text(agentStatus))},
	{"agent_code", "", "code of the last agent check", s, "MOP", Uint32, false,
		when(func(r *Row) bool { return r.AgentChecked && r.AgentCoded }, whole(func(r *Row) int { return r.AgentCode }))},
	{"agent_duration", "", "time the last agent check took", s, "MDP", Uint64, false,
		when(func(r *Row) bool { return r.AgentChecked && r.AgentDuration >= 0 }, seconds(func(r *Row) int64 { return r.AgentDuration }))},
	{"check_desc", "", "outcome of the last health check in words", s, "MOP", Text, false, when(checked, text(func(r *Row) string { return r.CheckDesc }))},
	{"agent_desc", "", "outcome of the last agent check in words", s, "MOP", Text, false, when(agentChecked, text(func(r *Row) string { return r.AgentDesc }))},
	{"check_rise", "", "rise of the health check", s, "CGS", Uint32, false, when(checked, whole(func(r *Row) int { return r.CheckRise }))},
	{"check_fall", "", "fall of the health check", s, "CGS", Uint32, false, when(checked, whole(func(r *Row) int { return r.CheckFall }))},
	{"check_health", "", "health from 0 to rise+fall-1", s, "CGS", Uint32, false, when(checked, whole(func(r *Row) int { return r.CheckHealth }))},
	{"agent_rise", "", "rise of the agent check", s, "CGS", Uint32, false, when(agentChecked, whole(func(r *Row) int { return r.AgentRise }))},
	{"agent_fall", "", "fall of the agent check", s, "CGS", Uint32, false, when(agentChecked, whole(func(r *Row) int { return r.AgentFall }))},
	{"agent_health", "", "health of the agent check", s, "CGS", Uint32, false, when(agentChecked, whole(func(r *Row) int { return r.AgentHealth }))},
	{"addr", "", "address and port", l | s, "CGS", Text, true, text(func(r *Row) string { return r.Addr })},
	{"cookie", "", "cookie of the server, name of the backend's cookie", bs, "CNS", Text, true, text(func(r *Row) string { return r.Cookie })},
	{"mode", "", "tcp or http", AllRows, "CGS", Text, false, text(func(r *Row) string { return r.Mode })},
	{"algo", "", "balance algorithm", b, "CGS", Text, true, text(func(r *Row) string { return r.Algo })},
	{"conn_rate", "", "connections in the last second", f, "MRP", Uint32, false, count(func(r *Row) uint64 { return r.ConnRate })},
	{"conn_rate_max", "connections_rate_max", "most connections in a second", f, "MMP", Uint32, false, count(func(r *Row) uint64 { return r.ConnRateMax })},
	{"conn_tot", "connections_total", "connections so far", f, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.ConnTotal })},
	{"intercepted", "intercepted_requests_total", "requests answered by the proxy itself", f, "MCP", Uint64, false, when(inHTTP, count(func(r *Row) uint64 { return r.Intercepted }))},
	{"dcon", "denied_connections_total", "connections refused by a rule", f | l, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.DeniedConn })},
	{"dses", "denied_sessions_total", "sessions refused by a rule", f | l, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.DeniedSess })},
	{"wrew", "failed_header_rewriting_total", "header rewrites that failed", AllRows, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.RewriteFailed })},
	{"connect", "connection_attempts_total", "connections opened to servers", bs, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.Connects })},
	{"reuse", "connection_reuses_total", "requests sent on a connection that stood", bs, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.Reuses })},
	{"cache_lookups", "http_cache_lookups_total", "lookups in the cache", fb, "MCP", Uint64, false, when(inHTTP, count(func(r *Row) uint64 { return r.CacheLookups }))},
	{"cache_hits", "http_cache_hits_total", "lookups the cache could answer", fb, "MCP", Uint64, false, when(inHTTP, count(func(r *Row) uint64 { return r.CacheHits }))},
	{"srv_icur", "idle_connections_current", "idle connections to the server", s, "MGP", Uint32, false, count(func(r *Row) uint64 { return r.IdleConns })},
	{"src_ilim", "idle_connections_limit", "limit of idle connections, absent when there is none", s, "CLP", Uint32, false, nothing},
	{"qtime_max", "max_queue_time_seconds", "longest time in the queue", bs, "MMP", Uint32, false, count(func(r *Row) uint64 { return r.QueueTimeMax })},
	{"ctime_max", "max_connect_time_seconds", "longest time to connect", bs, "MMP", Uint32, false, count(func(r *Row) uint64 { return r.ConnectTimeMax })},
	{"rtime_max", "max_response_time_seconds", "longest time to the response", bs, "MMP", Uint32, false, count(func(r *Row) uint64 { return r.ResponseTimeMax })},
	{"ttime_max", "max_total_time_seconds", "longest time in all", bs, "MMP", Uint32, false, count(func(r *Row) uint64 { return r.TotalTimeMax })},
	{"eint", "internal_errors_total", "errors of the proxy itself", AllRows, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.ErrInternal })},
	{"idle_conn_cur", "unsafe_idle_connections_current", "idle connections not yet known to be safe to reuse", s, "MGP", Uint32, false, count(func(r *Row) uint64 { return r.UnsafeIdle })},
	{"safe_conn_cur", "safe_idle_connections_current", "idle connections safe to reuse", s, "MGP", Uint32, false, count(func(r *Row) uint64 { return r.SafeIdle })},
	{"used_conn_cur", "used_connections_current", "connections in use", s, "MGP", Uint32, false, count(func(r *Row) uint64 { return r.UsedConns })},
	{"need_conn_est", "need_connections_current", "connections thought to be needed", s, "MGP", Uint32, false, count(func(r *Row) uint64 { return r.NeedConns })},
	{"uweight", "uweight", "weight as set, of a backend the sum over its usable servers", bs, "MaP", Uint32, false, whole(func(r *Row) int { return r.UserWeight })},
	{"agg_server_status", "agg_server_status", "servers by state, in the metrics only", b, "MGP", Uint32, false, count(none)},
	{"agg_server_check_status", "agg_server_check_status", "servers by state of their check, in the metrics only", b, "MGP", Uint32, false, count(none)},
	{"agg_check_status", "agg_check_status", "servers by outcome of their check, in the metrics only", b, "MGP", Uint32, false, count(none)},
	{"ssl_sess", "", "TLS handshakes", AllRows, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.TLSSessions })},
	{"ssl_reused_sess", "", "TLS sessions resumed", AllRows, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.TLSResumed })},
	{"ssl_failed_handshake", "", "TLS handshakes that failed", AllRows, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.TLSFailed })},
	{"h2_headers_rcvd", "", "HTTP/2 HEADERS frames received", fb, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.H2.Headers })},
	{"h2_data_rcvd", "", "HTTP/2 DATA frames received", fb, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.H2.Data })},
	{"h2_settings_rcvd", "", "HTTP/2 SETTINGS frames received", fb, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.H2.Settings })},
	{"h2_rst_stream_rcvd", "", "HTTP/2 RST_STREAM frames received", fb, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.H2.Resets })},
	{"h2_goaway_rcvd", "", "HTTP/2 GOAWAY frames received", fb, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.H2.Goaways })},
	{"h2_detected_conn_protocol_errors", "", "HTTP/2 connection errors detected", fb, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.H2.ConnErrors })},
	{"h2_detected_strm_protocol_errors", "", "HTTP/2 stream errors detected", fb, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.H2.StreamErrors })},
	{"h2_rst_stream_resp", "", "HTTP/2 RST_STREAM frames sent", fb, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.H2.ResetsSent })},
	{"h2_goaway_resp", "", "HTTP/2 GOAWAY frames sent", fb, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.H2.GoawaysSent })},
	{"h2_open_connections", "", "HTTP/2 connections open", fb, "MGP", Uint64, false, count(func(r *Row) uint64 { return r.H2.OpenConns })},
	{"h2_backend_open_streams", "", "HTTP/2 streams open", fb, "MGP", Uint64, false, count(func(r *Row) uint64 { return r.H2.OpenStreams })},
	{"h2_total_connections", "", "HTTP/2 connections so far", fb, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.H2.Conns })},
	{"h2_backend_total_streams", "", "HTTP/2 streams so far", fb, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.H2.Streams })},
	{"h1_open_connections", "", "HTTP/1 connections open", fb, "MGP", Uint64, false, count(func(r *Row) uint64 { return r.H1OpenConns })},
	{"h1_open_streams", "", "HTTP/1 exchanges under way", fb, "MGP", Uint64, false, count(func(r *Row) uint64 { return r.H1OpenStreams })},
	{"h1_total_connections", "", "HTTP/1 connections so far", fb, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.H1Conns })},
	{"h1_total_streams", "", "HTTP/1 exchanges so far", fb, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.H1Streams })},
	{"h1_bytes_in", "", "bytes received by HTTP/1", fb, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.H1BytesIn })},
	{"h1_bytes_out", "", "bytes sent by HTTP/1", fb, "MCP", Uint64, false, count(func(r *Row) uint64 { return r.H1BytesOut })},
	module("h1_spliced_bytes_in", "bytes received without a copy", fb),
	module("h1_spliced_bytes_out", "bytes sent without a copy", fb),
}

// module is a column of a part of HAProxy that is not counted here: zero.
func module(name, help string, rows Rows) Column {
	return Column{name, "", help, rows, "MCP", Uint64, false, count(none)}
}

func checkStatus(r *Row) string {
	if r.CheckRunning {
		return "* " + r.CheckStatus
	}
	return r.CheckStatus
}

// responses is absent outside HTTP.
func responses(class int) func(*Row) Value {
	return when(inHTTP, count(func(r *Row) uint64 { return r.Resp[class] }))
}

func agentChecked(r *Row) bool { return r.AgentChecked }

func agentStatus(r *Row) string {
	if r.AgentRunning {
		return "* " + r.AgentStatus
	}
	return r.AgentStatus
}
