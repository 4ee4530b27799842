// Package settings holds a proxy configuration as plain values: what
// proxy/directive makes of haproxy.cfg and what the proxy runs.
//
// It parses nothing and decides nothing. A Config is one immutable
// generation; a reload builds another.
package settings

import (
	"time"

	"herald/config"
	"herald/proxy/expr"
	"herald/proxy/rule"
)

// Config is one whole HAProxy configuration with defaults merged.
type Config struct {
	Global  Global
	Proxies []*Proxy // in file order
	// Resolvers are the resolvers sections; "default" is the last one when
	// servers use it and the file has none.
	Resolvers []*Resolvers
}

// Global is the merged global sections.
type Global struct {
	MaxConn int // 0 means unset
	// Connections accepted in a second, those that rules let in, and those with
	// TLS among these (maxconnrate, maxsessrate, maxsslrate); 0 means no limit.
	MaxConnRate, MaxSessRate, MaxTLSRate int
	MaxTLSConn                           int // TLS connections of clients at a time; 0 means no limit
	NbThread                             int // event loops; 0 means one per processor
	User, Group                          string
	UID, GID                             int // -1 when unset
	Chroot                               string
	PidFile                              string
	Node                                 string
	Description                          string
	Daemon                               bool
	Logs                                 []LogTarget
	LogTag                               string // "haproxy" by default
	// LogSendHostname is the host name put in log lines by
	// log-send-hostname; empty means none.
	LogSendHostname string
	StatsSockets    []StatsSocket
	StatsMaxConn    int           // sessions of the command line at a time; 0 means 10
	StatsTimeout    time.Duration // of a command line session, 10 s
	HardStopAfter   time.Duration // 0 means never
	SpreadChecks    int           // percent
	MaxSpreadChecks time.Duration // longest time the first checks are spread over; 0 means the interval
	ExternalCheck   bool          // commands may check servers
	BufSize         int           // tune.bufsize, 16384
	MaxRewrite      int           // tune.maxrewrite, 1024
	// Buffers of sockets in bytes (tune.rcvbuf.client and its kin); 0 means the
	// system's.
	ReceiveBufferClient, ReceiveBufferServer, SendBufferClient, SendBufferServer int
	NoSplice                                                                     bool // nosplice: bulk is copied
	// BodyWithAnyMethod lets GET, HEAD and DELETE of HTTP/1.0 have a body
	// (h1-accept-payload-with-any-method).
	BodyWithAnyMethod bool
	MaxHeaders        int // tune.http.maxhdr, 101
	LogURILen         int // tune.http.logurilen, 1024
	// HeaderCase are header names to write in another case, by their
	// lower-case form (h1-case-adjust).
	HeaderCase map[string]string
	H2         H2
}

// StatsSocket is one `stats socket`.
type StatsSocket struct {
	Pos   config.Pos
	Bind  Bind
	Level Level
}

// Level is what a session on a stats socket may do.
type Level int

// Levels in rising order; operator is the default.
const (
	LevelUser Level = iota
	LevelOperator
	LevelAdmin
)

// Mode is the protocol a proxy understands.
type Mode int

// Modes; TCP is HAProxy's default.
const (
	TCP Mode = iota
	HTTP
)

// Proxy is one frontend, backend or listen section. A listen section is both.
type Proxy struct {
	Pos      config.Pos
	Name     string
	ForcedID bool // "id" is given
	ID       int  // HAProxy's numbering: in file order from 1, or from 2 with a stats socket
	Frontend bool
	Backend  bool
	Disabled bool
	Mode     Mode

	Binds          []Bind
	DefaultBackend string // empty means none (a listen section is its own)
	Servers        []Server
	Balance        string // "roundrobin"
	BalanceArgs    BalanceArgs
	HashOf         *expr.Fetch // of balance hash
	Dispatch       *Server     // takes all requests when not nil
	BalanceDraws   int         // of balance random; 0 means 2
	HashType       HashType
	HashFactor     int // hash-balance-factor in percent; 0 is off

	Timeouts    Timeouts
	MaxConn     int // of the frontend; 0 means the global one
	MaxSessRate int // sessions the frontend begins in a second (rate-limit); 0 means no limit
	// SessionServerConns is max-session-srv-conns + 1: how many idle connections
	// a client has of its own; 0 means 5 of them.
	SessionServerConns int
	FullConn           int
	Backlog            int
	Retries            int  // connection retries, 3
	Redispatch         bool // option redispatch
	// RedispatchInterval says which retries go to another server: every Nth
	// when positive, the Nth before the last when negative (-1, the last).
	RedispatchInterval int
	AllBackups         bool // option allbackups
	RetryOn            RetryOn
	Source             Source // of connections to the servers that name none
	Reuse              Reuse
	// PreferLast keeps a client whose connection to a server is its own there
	// (option prefer-last-server), unless KeepAliveQueue - 1 or more would wait
	// in front of it (max-keep-alive-queue); 0 sets no limit.
	PreferLast         bool
	KeepAliveQueue     int
	IndependentStreams bool // option independent-streams

	ForwardFor        *ForwardFor // option forwardfor; nil is off
	OriginalTo        *ForwardFor // option originalto; nil is off
	Rules             Rules
	HTTP              HTTPOptions
	Connection        Connection
	HTTPCheckDisabled bool

	Logs                                   []LogTarget
	LogFormat                              LogFormat
	LogFormatText                          string // with LogCustom
	LogTag                                 string
	UniqueID                               UniqueID
	DontLogNull                            bool
	DontLogNormal                          bool
	LogAsap                                bool
	LogSeparateErrors                      bool
	LogHealthChecks                        bool
	DisableH2Upgrade                       bool // option disable-h2-upgrade
	TCPKeepAliveClient, TCPKeepAliveServer bool // option tcpka, clitcpka, srvtcpka
	ProbesClient, ProbesServer             KeepAliveProbes
	AbortOnClose                           bool

	// ErrorFiles are whole HTTP responses by status, read at load.
	ErrorFiles map[int]ErrorFile
	Stats      *Stats // nil is off
	Captures   Captures
	MonitorURI string
	// MonitorFail is when monitor-uri is answered with 503: any that holds.
	MonitorFail []rule.Condition
	Check       Check
}

// Connection is how an HTTP proxy treats connections after a response.
type Connection int

// Connection modes; KeepAlive is the default.
const (
	KeepAlive Connection = iota
	ServerClose
	Close
)

// Timeouts of a proxy; 0 means none.
type Timeouts struct {
	Connect       time.Duration
	Client        time.Duration
	Server        time.Duration
	HTTPRequest   time.Duration // whole head; Client when 0
	HTTPKeepAlive time.Duration // between requests; HTTPRequest, then Client when 0
	Queue         time.Duration // Connect when 0
	Check         time.Duration // once connected; the check's inter when 0
	Tunnel        time.Duration
	ClientFin     time.Duration
	ServerFin     time.Duration
	Tarpit        time.Duration
}

// Bind is one listening address. A line with a port range or an address list
// makes several.
type Bind struct {
	Pos         config.Pos
	Network     string // "tcp", "unix", "abns" (an abstract unix socket) or "fd" (inherited)
	Host        string // IP literal; empty means every IPv4 address; "::" every IPv6
	Port        int
	Path        string // of a unix socket, the name of an abstract one, the number of an inherited one
	Name        string // "name", or file:line:NUMBER as HAProxy shows it
	Interface   string
	Namespace   string // of the network, by name (ip-netns(8)); empty is ours
	MaxConn     int
	Backlog     int
	V4V6        bool // "v4v6" on an IPv6 address
	V6Only      bool // "v6only"; with neither, the system's net.ipv6.bindv6only decides
	Transparent bool
	AcceptProxy bool // clients are proxies and say for whom they speak
	ID          int  // in the statistics; 0 means its place in the section
	Tune        ListenTuning
	Mode        uint32 // of a unix socket; 0 means the umask's
	UID, GID    int    // of a unix socket; -1 means unset
	Proto       string // "h1", "h2"; empty lets the first bytes, or ALPN, say
	TLS         *BindTLS
}

// Server is one server line.
type Server struct {
	Pos                 config.Pos
	Name                string
	ID                  int    // from 1 in file order
	Host                string // IP literal or name; empty with Path
	Port                int    // 0 means the port the client connected to
	Path                string // of a unix socket
	Weight              int    // 0..256, 1
	Backup              bool
	Disabled            bool
	MaxConn             int // 0 means unlimited
	MinConn             int // limit of an idle backend; MaxConn when there is no other
	SlowStart           time.Duration
	ShutdownBackupsOnUp bool // on-marked-up shutdown-backup-sessions
	Track               Track
	Observe             Observe
	ErrorLimit          int // errors in a row that on-error acts on; 10 when 0
	OnError             OnError
	ForcedID            bool // "id" is given
	MaxQueue            int
	Redirect            string // redir: where GET and HEAD are sent instead; empty means to the server
	Pool                Pool
	SendProxy           ProxyHeader
	Abstract            bool // Path is the name of an abstract unix socket
	// PortOffset is added to the port the client connected to, with Port 0:
	// a port written "+N" or "-N".
	PortOffset int
	// Transparent connects to the address the client connected to, when Host
	// and Path are empty.
	Transparent                 bool
	Source                      Source
	Socks4                      string        // ADDRESS:PORT of a SOCKS4 proxy on the way to it; empty means none
	FastOpen                    bool          // tfo
	UserTimeout                 time.Duration // tcp-ut; 0 means the system's
	Namespace                   string        // of the network, by name (ip-netns(8)); empty is ours
	Check                       bool
	Inter, FastInter, DownInter time.Duration // 2 s; Inter when 0
	Rise, Fall                  int           // 2, 3
	// CheckAddr is where checks go: a host, or the path of a unix socket, which
	// begins with "@" in the abstract namespace; "" is the server's.
	CheckAddr              string
	CheckAddrPort          int // what was written behind it; CheckPort is what counts
	Checks                 ServerCheck
	Agent                  Agent
	CheckPort              int
	Cookie                 string
	Proto                  string // "h1", "h2"; empty lets ALPN say, else h1
	WebSockets             WebSockets
	ShutdownSessionsOnDown bool // on-marked-down shutdown-sessions
	// InitAddr is how the address is found at start: words with commas
	// between; empty means "last,libc".
	InitAddr string
	Resolve  Resolve
	TLS      *ServerTLS // nil: neither traffic nor checks are encrypted
}

// Pool bounds a server's idle connections. Each is counted from 1 up so that
// the zero value is the default.
type Pool struct {
	MaxConn  int           // pool-max-conn + 1; 0 means unlimited
	MaxReuse int           // max-reuse + 1; 0 means unlimited
	Purge    time.Duration // pool-purge-delay; 0 means 5 s
}

// ForwardFor is option forwardfor.
type ForwardFor struct {
	Except string // network in CIDR form or an address; empty means none
	Header string // "X-Forwarded-For"
	IfNone bool
}

// LogFormat chooses the traffic log line.
type LogFormat int

// Log formats (Configuration manual 8.2).
const (
	LogDefault LogFormat = iota // "Connect from ..."
	LogTCP
	LogHTTP
	LogCLF
	LogHTTPS
	LogCustom
)

// UniqueID is what tells a connection or request from every other.
type UniqueID struct {
	// Format is unique-id-format, in the language of log-format; empty means none.
	Format string
	// Values are the expressions in Format, in its order.
	Values []*expr.Fetch
	Header string // unique-id-header: the field that tells the server; empty means none
}

// LogTarget is one log line of global or a proxy, already resolved: "log
// global" is replaced by the global ones.
type LogTarget struct {
	Address  string // "/dev/log", "127.0.0.1:514", "stdout", "stderr"
	Network  string // "unixgram", "udp", "fd"
	Format   string // "local", "rfc3164", "rfc5424", "short", "timed", "iso", "raw", "priority"
	Facility int    // 0..23
	MaxLevel int    // most verbose level sent, 0 emerg .. 7 debug (7)
	MinLevel int    // messages more important than this are sent as this (0)
	MaxLen   int    // of a line in bytes, 1024
}

// ErrorFile is one errorfile: the bytes sent, and where they came from.
type ErrorFile struct {
	Path  string
	Bytes []byte
}

// Stats is the statistics page of a proxy.
type Stats struct {
	Pos         config.Pos
	URI         string // "/haproxy?stats"
	Realm       string // "HAProxy Statistics"; asked for only with Users
	Users       []StatsUser
	Refresh     time.Duration // 0 means none
	HideVersion bool
	ShowNode    bool
	Node        string
	ShowDesc    bool
	Desc        string
	ShowLegends bool
	Scope       []string
	// Admin is when visitors may change servers: any condition that holds.
	Admin []rule.Condition
	// Access is who may see the page; the first that applies decides.
	Access []StatsRule
}

// StatsRule is one `stats http-request`.
type StatsRule struct {
	Action StatsAction
	Realm  string // with StatsAuth; empty means that of the page
	If     rule.Condition
}

// StatsAction is what a rule of the statistics page does.
type StatsAction int

// Actions.
const (
	StatsAllow StatsAction = iota
	StatsDeny
	StatsAuth // asks for a password, whatever was given
)

// StatsUser is one stats auth. The password never leaves this struct but for
// a constant-time comparison.
type StatsUser struct {
	Name, Password string
}
