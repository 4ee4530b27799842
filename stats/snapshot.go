// Package stats holds what herald counts as plain values: a Snapshot of the
// proxy, the Instances of the VRRP role, and tables of Columns that say under
// which name every value is published.
//
// It measures nothing and prints nothing: the engines fill these structs, and
// stats/render writes them. A statistic is one field and one Column row; no
// renderer knows a statistic by name.
//
//	snap := engine.Snapshot()
//	for _, p := range snap.Proxies {
//		for i := range p.Rows {
//			for _, c := range stats.Columns {
//				if v := c.Of(&p.Rows[i]); v.Present() {
//					fmt.Println(c.Name, v)
//				}
//			}
//		}
//	}
package stats

import "time"

// Snapshot is one moment of the program as seen by the proxy role. It travels
// as JSON between processes.
type Snapshot struct {
	At        time.Time  `json:"at"`
	Info      Info       `json:"info"`
	Instances []Instance `json:"instances,omitempty"`
	Proxies   []Proxy    `json:"proxies"` // in file order
}

// Proxy is one frontend, backend or listen section.
type Proxy struct {
	Name  string `json:"name"`
	ID    int    `json:"id"`   // iid
	Mode  string `json:"mode"` // "tcp" or "http"
	Stats bool   `json:"stats,omitempty"`
	// FrontendCap and BackendCap say which halves the section has.
	FrontendCap bool `json:"frontend,omitempty"`
	BackendCap  bool `json:"backend,omitempty"`
	// Rows are the FRONTEND, listeners, servers and the BACKEND, in that order.
	Rows []Row `json:"rows"`
}

// RowType is the kind of a row, with the numbers of the CSV's "type" column.
type RowType int

// Row types (Management Guide 9.1, field 32).
const (
	FrontendRow RowType = iota
	BackendRow
	ServerRow
	ListenerRow
)

// Row is every value HAProxy 2.6 publishes about a frontend, listener, server
// or backend. Fields that a type of row has no use for stay zero: the Columns
// know which apply. Counts are since start or the last `clear counters`.
type Row struct {
	Type    RowType `json:"type"`
	Proxy   string  `json:"proxy"` // pxname
	Name    string  `json:"name"`  // svname: "FRONTEND", "BACKEND", server or listener name
	ProxyID int     `json:"iid"`
	ID      int     `json:"sid"` // server or listener number; 0 for FRONTEND and BACKEND
	Mode    string  `json:"mode"`
	Algo    string  `json:"algo,omitempty"` // of a BACKEND: "roundrobin"
	// NoServers marks the BACKEND of a section without servers.
	NoServers bool `json:"no_servers,omitempty"`

	QueueCur   uint64 `json:"qcur,omitempty"`
	QueueMax   uint64 `json:"qmax,omitempty"`
	QueueLimit uint64 `json:"qlimit,omitempty"` // server maxqueue; 0 means none
	SessCur    uint64 `json:"scur,omitempty"`
	SessMax    uint64 `json:"smax,omitempty"`
	// SessLimit is the frontend's or server's maxconn, the backend's fullconn;
	// 0 means none.
	SessLimit uint64 `json:"slim,omitempty"`
	SessTotal uint64 `json:"stot,omitempty"`
	BytesIn   uint64 `json:"bin,omitempty"`
	BytesOut  uint64 `json:"bout,omitempty"`

	DeniedReq     uint64 `json:"dreq,omitempty"`
	DeniedResp    uint64 `json:"dresp,omitempty"`
	DeniedConn    uint64 `json:"dcon,omitempty"` // tcp-request connection
	DeniedSess    uint64 `json:"dses,omitempty"` // tcp-request session
	ErrReq        uint64 `json:"ereq,omitempty"`
	ErrConn       uint64 `json:"econ,omitempty"`
	ErrResp       uint64 `json:"eresp,omitempty"`
	ErrInternal   uint64 `json:"eint,omitempty"`
	Retries       uint64 `json:"wretr,omitempty"`
	Redispatches  uint64 `json:"wredis,omitempty"`
	RewriteFailed uint64 `json:"wrew,omitempty"`
	ClientAborts  uint64 `json:"cli_abrt,omitempty"`
	ServerAborts  uint64 `json:"srv_abrt,omitempty"`
	Observed      bool   `json:"observed,omitempty"` // observe: traffic tells of the server's health
	Analyses      uint64 `json:"hanafail,omitempty"`
	Intercepted   uint64 `json:"intercepted,omitempty"` // answered here: page, monitor, redirect

	// Status is "OPEN", "STOP", "UP", "DOWN 1/2", "MAINT", "no check" and so
	// on; proxy/check makes those of servers.
	Status      string `json:"status"`
	Weight      int    `json:"weight"`  // in force; the sum of the usable servers' for a BACKEND
	UserWeight  int    `json:"uweight"` // as set at run time
	FirstWeight int    `json:"iweight"` // as configured
	Active      int    `json:"act"`     // 1 for an active server; a BACKEND's usable active servers
	Backup      int    `json:"bck"`     // 1 for a backup server; a BACKEND's usable backup servers
	IsBackup    bool   `json:"backup,omitempty"`
	LastChange  int64  `json:"lastchg"`  // seconds since Status changed
	Downtime    int64  `json:"downtime"` // seconds
	Throttle    int    `json:"throttle,omitempty"`
	Addr        string `json:"addr,omitempty"`   // "10.1.1.1:80"
	Cookie      string `json:"cookie,omitempty"` // of a server, or a BACKEND's cookie name
	LastSession int64  `json:"lastsess"`         // seconds since the last; -1 means never
	LBTotal     uint64 `json:"lbtot,omitempty"`
	Tracked     string `json:"tracked,omitempty"`

	SessRate      uint64 `json:"rate,omitempty"` // sessions per second
	SessRateLimit uint64 `json:"rate_lim,omitempty"`
	SessRateMax   uint64 `json:"rate_max,omitempty"`
	ConnRate      uint64 `json:"conn_rate,omitempty"`
	ConnRateMax   uint64 `json:"conn_rate_max,omitempty"`
	ConnTotal     uint64 `json:"conn_tot,omitempty"`
	ReqRate       uint64 `json:"req_rate,omitempty"`
	ReqRateMax    uint64 `json:"req_rate_max,omitempty"`
	ReqTotal      uint64 `json:"req_tot,omitempty"`

	// Resp counts HTTP responses by class: 1xx, 2xx, 3xx, 4xx, 5xx, other.
	Resp [6]uint64 `json:"hrsp"`

	// Checked says that the server has a health check.
	Checked bool `json:"checked,omitempty"`
	// CheckRunning says that one is under way ("* " before CheckStatus).
	CheckRunning bool `json:"check_running,omitempty"`
	// CheckPaused says that maintenance suspends it.
	CheckPaused   bool   `json:"check_paused,omitempty"`
	CheckStatus   string `json:"check_status,omitempty"` // "L4OK"; proxy/check's words
	CheckCode     int    `json:"check_code,omitempty"`
	CheckCoded    bool   `json:"check_coded,omitempty"` // the check has a code, even 0
	CheckDuration int64  `json:"check_duration"`        // ms; -1 until one finished
	CheckDesc     string `json:"check_desc,omitempty"`
	LastCheck     string `json:"last_chk,omitempty"`
	CheckRise     int    `json:"check_rise,omitempty"`
	CheckFall     int    `json:"check_fall,omitempty"`
	CheckHealth   int    `json:"check_health,omitempty"` // 0..rise+fall-1
	CheckFails    uint64 `json:"chkfail,omitempty"`      // failed checks, counted only while UP
	CheckDowns    uint64 `json:"chkdown,omitempty"`      // transitions UP to DOWN

	// The agent check, as the health check above.
	AgentChecked  bool   `json:"agent_checked,omitempty"`
	AgentRunning  bool   `json:"agent_running,omitempty"`
	AgentStatus   string `json:"agent_status,omitempty"`
	AgentDesc     string `json:"agent_desc,omitempty"`
	AgentCode     int    `json:"agent_code,omitempty"`
	AgentCoded    bool   `json:"agent_coded,omitempty"`
	AgentDuration int64  `json:"agent_duration,omitempty"` // ms; -1 until one finished
	LastAgent     string `json:"last_agt,omitempty"`
	AgentRise     int    `json:"agent_rise,omitempty"`
	AgentFall     int    `json:"agent_fall,omitempty"`
	AgentHealth   int    `json:"agent_health,omitempty"`

	// Times are averages over the last 1024 requests, in milliseconds.
	QueueTime       uint64 `json:"qtime,omitempty"`
	ConnectTime     uint64 `json:"ctime,omitempty"`
	ResponseTime    uint64 `json:"rtime,omitempty"`
	TotalTime       uint64 `json:"ttime,omitempty"`
	QueueTimeMax    uint64 `json:"qtime_max,omitempty"`
	ConnectTimeMax  uint64 `json:"ctime_max,omitempty"`
	ResponseTimeMax uint64 `json:"rtime_max,omitempty"`
	TotalTimeMax    uint64 `json:"ttime_max,omitempty"`

	Connects     uint64 `json:"connect,omitempty"` // connections opened to servers
	Reuses       uint64 `json:"reuse,omitempty"`
	IdleConns    uint64 `json:"srv_icur,omitempty"`
	UnsafeIdle   uint64 `json:"idle_conn_cur,omitempty"`
	SafeIdle     uint64 `json:"safe_conn_cur,omitempty"`
	UsedConns    uint64 `json:"used_conn_cur,omitempty"`
	NeedConns    uint64 `json:"need_conn_est,omitempty"`
	CacheLookups uint64 `json:"cache_lookups,omitempty"`
	CacheHits    uint64 `json:"cache_hits,omitempty"`

	// Handshakes of TLS.
	TLSSessions uint64 `json:"ssl_sess,omitempty"`
	TLSResumed  uint64 `json:"ssl_reused_sess,omitempty"`
	TLSFailed   uint64 `json:"ssl_failed_handshake,omitempty"`

	// HTTP/1 mux counters of a frontend or backend.
	H1OpenConns   uint64 `json:"h1_open_connections,omitempty"`
	H1OpenStreams uint64 `json:"h1_open_streams,omitempty"`
	H1Conns       uint64 `json:"h1_total_connections,omitempty"`
	H1Streams     uint64 `json:"h1_total_streams,omitempty"`
	H1BytesIn     uint64 `json:"h1_bytes_in,omitempty"`
	H1BytesOut    uint64 `json:"h1_bytes_out,omitempty"`

	// HTTP/2 mux counters of a frontend or backend.
	H2 H2 `json:"h2,omitzero"`

	// State of the server as `show servers state` numbers it (Management
	// Guide 9.3); proxy/check fills it from its State.
	Server ServerState `json:"server,omitzero"`
}

// H2 counts the frames, connections and streams of HTTP/2.
type H2 struct {
	Headers      uint64 `json:"headers_rcvd,omitempty"`
	Data         uint64 `json:"data_rcvd,omitempty"`
	Settings     uint64 `json:"settings_rcvd,omitempty"`
	Resets       uint64 `json:"rst_stream_rcvd,omitempty"`
	Goaways      uint64 `json:"goaway_rcvd,omitempty"`
	ConnErrors   uint64 `json:"detected_conn_protocol_errors,omitempty"`
	StreamErrors uint64 `json:"detected_strm_protocol_errors,omitempty"`
	ResetsSent   uint64 `json:"rst_stream_resp,omitempty"`
	GoawaysSent  uint64 `json:"goaway_resp,omitempty"`
	OpenConns    uint64 `json:"open_connections,omitempty"`
	OpenStreams  uint64 `json:"open_streams,omitempty"`
	Conns        uint64 `json:"total_connections,omitempty"`
	Streams      uint64 `json:"total_streams,omitempty"`
}

// ServerState is what `show servers state` prints of one server (Management
// Guide 9.3, "show servers state").
type ServerState struct {
	OpState     int    `json:"op_state"`    // 0 stopped, 1 starting, 2 running, 3 stopping
	AdminState  int    `json:"admin_state"` // bit field; 1 is forced maintenance, 8 forced drain
	CheckStatus int    `json:"check_status"`
	CheckResult int    `json:"check_result"`
	CheckState  int    `json:"check_state"`
	AgentState  int    `json:"agent_state,omitempty"`
	FQDN        string `json:"fqdn,omitempty"`
	SRV         string `json:"srv,omitempty"`  // the name of the SRV records it comes from
	Host        string `json:"host,omitempty"` // IP literal, or the path of a unix socket
	Port        int    `json:"port,omitempty"`
	CheckPort   int    `json:"check_port,omitempty"`
	CheckAddr   string `json:"check_addr,omitempty"`
	AgentPort   int    `json:"agent_port,omitempty"`
	AgentAddr   string `json:"agent_addr,omitempty"`
	// The ids were given in the configuration.
	ForcedBackendID bool `json:"forced_backend_id,omitempty"`
	ForcedID        bool `json:"forced_id,omitempty"`
}
