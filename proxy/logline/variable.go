package logline

// Variable is one %-variable of the log-format language, for documentation
// and completion.
type Variable struct {
	Name string // without "%"
	Doc  string
	HTTP bool // HTTP mode only
}

// Variables returns every variable Compile knows, by name.
func Variables() []Variable {
	all := make([]Variable, len(variables))
	for i := range variables {
		all[i] = Variable{variables[i].name, variables[i].doc, variables[i].http}
	}
	return all
}

// variable is a row of the language: what it is called, says and writes.
type variable struct {
	name, doc string
	http      bool
	write     func(*writer)
}

func find(name string) *variable {
	for i := range variables {
		if variables[i].name == name {
			return &variables[i]
		}
	}
	return nil
}

// variables is HAProxy 2.6's table (manual 8.2.6), in byte order.
var variables = []variable{
	{"B", "bytes from server to client", false, func(w *writer) { w.asap(); w.int(w.r.BytesOut) }},
	{"CC", "captured request cookie", true, func(w *writer) { text(w, w.r.RequestCookie) }},
	{"CS", "captured response cookie", true, func(w *writer) { text(w, w.r.ResponseCookie) }},
	{"H", "host name", false, func(w *writer) { text(w, w.r.Host) }},
	{"HM", "request method", true, func(w *writer) { w.requestPart(method) }},
	{"HP", "request URI without query string", true, func(w *writer) { w.requestPart(pathWithHost) }},
	{"HPO", "request path without host and query string", true, func(w *writer) { w.requestPart(pathOnly) }},
	{"HQ", "query string with its question mark", true, func(w *writer) { w.requestPart(query) }},
	{"HU", "request URI", true, func(w *writer) { w.requestPart(uri) }},
	{"HV", "request version", true, func(w *writer) { w.requestPart(version) }},
	{"ID", "unique id", false, func(w *writer) { text(w, w.r.UniqueID) }},
	{"ST", "status code", false, func(w *writer) { w.int(int64(w.r.Status)) }},
	{"T", "date of accept, GMT", false, func(w *writer) { w.gmt(w.r.Accept) }},
	{"TR", "ms to receive the request from its first byte", true, func(w *writer) { w.int(w.r.Times.receive()) }},
	{"Ta", "ms the request was active", true, func(w *writer) { w.asap(); w.int(w.r.Times.active()) }},
	{"Tc", "ms to connect to the server", false, func(w *writer) { w.int(between(w.r.Times.Queue, w.r.Times.Connect)) }},
	{"Td", "ms of data transfer", false, func(w *writer) { w.int(w.r.Times.data(w.r.HTTP)) }},
	{"Th", "ms of handshakes", false, func(w *writer) { w.int(w.r.Times.Handshake) }},
	{"Ti", "ms idle before the request", true, func(w *writer) { w.int(w.r.Times.Idle) }},
	{"Tl", "date of accept, local time with zone", false, func(w *writer) { w.local(w.r.Accept) }},
	{"Tq", "Th + Ti + TR", true, func(w *writer) { w.int(w.r.Times.Request) }},
	{"Tr", "ms the server took to answer", true, func(w *writer) { w.int(between(w.r.Times.Connect, w.r.Times.Data)) }},
	{"Ts", "date of accept in seconds since 1970", false, func(w *writer) { w.number(w.r.Accept.Unix(), 4) }},
	{"Tt", "ms from accept to the end", false, func(w *writer) { w.asap(); w.int(w.r.Times.Close) }},
	{"Tu", "ms as the user saw them, without idle time", false, func(w *writer) { w.asap(); w.int(w.r.Times.user()) }},
	{"Tw", "ms in queues", false, func(w *writer) { w.int(between(w.r.Times.Request, w.r.Times.Queue)) }},
	{"U", "bytes from client to server", false, func(w *writer) { w.int(w.r.BytesIn) }},
	{"ac", "connections of the process", false, func(w *writer) { w.int(int64(w.r.ActConn)) }},
	{"b", "backend name", false, func(w *writer) { text(w, w.backend()) }},
	{"bc", "connections of the backend", false, func(w *writer) { w.int(int64(w.r.BeConn)) }},
	{"bi", "address we connected from", false, func(w *writer) { w.addr(w.r.ServerSource, "") }},
	{"bp", "port we connected from", false, func(w *writer) { w.port(w.r.ServerSource, -1) }},
	{"bq", "requests in front in the backend's queue", false, func(w *writer) { w.int(int64(w.r.BackendQueue)) }},
	{"ci", "client address", false, func(w *writer) { w.addr(w.r.Client, "unix") }},
	{"cp", "client port", false, func(w *writer) { w.port(w.r.Client, w.r.ListenerID) }},
	{"f", "frontend name", false, func(w *writer) { text(w, w.r.Frontend) }},
	{"fc", "connections of the frontend", false, func(w *writer) { w.int(int64(w.r.FeConn)) }},
	{"fi", "address the client connected to", false, func(w *writer) { w.addr(w.r.Local, "unix") }},
	{"fp", "port the client connected to", false, func(w *writer) { w.port(w.r.Local, w.r.ListenerID) }},
	{"ft", "frontend name, with ~ for TLS", false, func(w *writer) { w.transport() }},
	{"hr", "captured request headers", false, func(w *writer) { w.headers(w.r.RequestHeaders) }},
	{"hrl", "captured request headers, one by one", false, func(w *writer) { w.headerList(w.r.RequestHeaders) }},
	{"hs", "captured response headers", false, func(w *writer) { w.headers(w.r.ResponseHeaders) }},
	{"hsl", "captured response headers, one by one", false, func(w *writer) { w.headerList(w.r.ResponseHeaders) }},
	{"lc", "lines the frontend has logged before", false, func(w *writer) { w.number(int64(w.r.LogCounter), 4) }},
	{"ms", "milliseconds of the date of accept", false, func(w *writer) { w.millis(w.r.Accept) }},
	{"pid", "process id", false, func(w *writer) { w.number(int64(w.r.PID), 4) }},
	{"r", "request line", true, func(w *writer) { w.requestPart(whole) }},
	{"rc", "connection retries, with + after redispatch", false, func(w *writer) { w.retries() }},
	{"rt", "requests of the process before this", false, func(w *writer) { w.number(int64(w.r.Counter), 4) }},
	{"s", "server name", false, func(w *writer) { w.server() }},
	{"sc", "connections of the server", false, func(w *writer) { w.int(int64(w.r.SrvConn)) }},
	{"si", "server address", false, func(w *writer) { w.addr(w.r.ServerAddr, "") }},
	{"sp", "server port", false, func(w *writer) { w.port(w.r.ServerAddr, -1) }},
	{"sq", "requests in front in the server's queue", false, func(w *writer) { w.int(int64(w.r.SrvQueue)) }},
	{"sslc", "TLS cipher", false, func(w *writer) { text(w, w.r.TLSCipher) }},
	{"sslv", "TLS version", false, func(w *writer) { text(w, w.r.TLSVersion) }},
	{"t", "date of accept with milliseconds", false, func(w *writer) { w.date(w.r.Accept) }},
	{"tr", "date of the request's first byte with milliseconds", true, func(w *writer) { w.date(w.r.began()) }},
	{"trg", "date of the request's first byte, GMT", true, func(w *writer) { w.gmt(w.r.began()) }},
	{"trl", "date of the request's first byte, local time with zone", true, func(w *writer) { w.local(w.r.began()) }},
	{"ts", "termination state, two characters", false, func(w *writer) { w.dst = append(w.dst, w.r.Term[:2]...) }},
	{"tsc", "termination state with cookie status, four characters", false, func(w *writer) { w.dst = append(w.dst, w.r.Term[:]...) }},
}

// expressions are those of option httpslog (manual 8.2.4). A connection that
// carries requests has had no error of its own: fc_err and ssl_fc_err are 0.
var expressions = []variable{
	{"[fc_err]", "error of the client's connection", false, func(w *writer) { text(w, "0") }},
	{"[ssl_c_ca_err]", "error of the client's authorities that was let pass", false, func(w *writer) { w.verification(w.r.AuthorityError) }},
	{"[ssl_c_err]", "error of the client's certificate that was let pass", false, func(w *writer) { w.verification(w.r.CertError) }},
	{"[ssl_fc_err,hex]", "error of the client's TLS in hexadecimal", false, func(w *writer) { w.ofTLS("0000000000000000") }},
	{"[ssl_fc_err]", "error of the client's TLS", false, func(w *writer) { w.ofTLS("0") }},
	{"[ssl_fc_is_resumed]", "whether the client's TLS session was resumed", false, func(w *writer) {
		if w.r.TLSResumed {
			text(w, "1")
		} else {
			text(w, "0")
		}
	}},
	{"[ssl_fc_sni]", "name the client asked for in TLS", false, func(w *writer) { text(w, w.r.ServerName) }},
}
