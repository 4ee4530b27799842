package directive

import "strings"

// instead says what becomes of words that HAProxy knows and that are not acted
// on, by where they stand and their name: "global quiet", "server npn". In the table
// "~" is a blank within a name.
var instead = func() map[string]string {
	m := map[string]string{}
	for _, r := range []struct{ where, words, text string }{
		{"global", "cpu-map numa-cpu-mapping thread-group thread-groups", "the system places the event loops, nbthread says how many there are"},
		{"global", "quiet zero-warning", "messages go to the log, and warnings never keep it from starting"},
		{"global", "master-worker mworker-max-reloads", "a parent process is always there, and old processes end by themselves or by hard-stop-after"},
		{"global", "strict-limits ulimit-n fd-hard-limit", "as many descriptors are used as the system allows"},
		{"global", "set-dumpable insecure-setuid-wanted", "the proxy's process has no rights, and gets none"},
		{"global", "busy-polling noepoll noevports nokqueue nopoll", "events come by epoll alone"},
		{"global", "noreuseport", "every event loop has a socket of its own"},
		{"global", "nogetaddrinfo no-memory-trimming", "this is Go's matter"},
		{"global", "51degrees-cache-size 51degrees-data-file 51degrees-property-name-list 51degrees-property-separator " +
			"deviceatlas-json-file deviceatlas-log-level deviceatlas-properties-cookie deviceatlas-separator " +
			"wurfl-cache-size wurfl-data-file wurfl-information-list wurfl-information-list-separator", "devices are not detected"},
		{"global", "close-spread-time grace", "a proxy that drains lets idle connections ask once more, and ends the others by hard-stop-after"},
		{"global", "cluster-secret tune.quic.conn-buf-limit tune.quic.frontend.conn-tx-buffers.limit tune.quic.frontend.max-idle-timeout " +
			"tune.quic.frontend.max-streams-bidi tune.quic.max-frame-loss tune.quic.retry-threshold", "there is no QUIC"},
		{"global", "default-path", "relative names of files begin where herald was started"},
		{"global", "expose-experimental-directives anonkey profiling.memory profiling.tasks tune.fail-alloc", "it serves the work on HAProxy itself"},
		{"global", "httpclient.resolvers.id httpclient.resolvers.prefer httpclient.ssl.ca-file httpclient.ssl.verify lua-load lua-load-per-thread " +
			"lua-prepend-path tune.lua.forced-yield tune.lua.maxmem tune.lua.service-timeout tune.lua.session-timeout tune.lua.task-timeout", "there is no Lua"},
		{"global", "issuers-chain-path ssl-skip-self-issued-ca", "chains are sent as crt and FILE.issuer have them"},
		{"global", "localpeer tune.peers.max-updates-at-once", "there are no peers"},
		{"global", "maxcompcpuusage maxcomprate maxzlibmem tune.comp.maxlevel tune.zlib.memlevel tune.zlib.windowsize", "nothing is compressed"},
		{"global", "maxpipes tune.pipesize tune.idletimer tune.recv_enough", "bulk is told by full receives and passes through pipes of up to 1 MB, as many as it needs"},
		{"global", "pp2-never-send-local", "health checks say in their PROXY header that they are LOCAL"},
		{"global", "server-state-base server-state-file", "the state of servers outlives reloads and crashes without a file"},
		{"global", "set-var set-var-fmt", "variables of the process are those of health checks"},
		{"global", "ssl-default-bind-client-sigalgs ssl-default-bind-sigalgs ssl-mode-async ssl-propquery ssl-provider ssl-provider-path", "TLS is Go's: it has no engines and chooses signatures by itself"},
		{"global", "tune.buffers.limit tune.buffers.reserve", "buffers are lent while something is in them"},
		{"global", "tune.fd.edge-triggered", "events are edge-triggered always"},
		{"global", "tune.http.cookielen", "capture cookie is as long as it says"},
		{"global", "tune.idle-pool.shared tune.pool-high-fd-ratio tune.pool-low-fd-ratio", "every event loop keeps idle connections of its own, as many as it lately needed"},
		{"global", "tune.listener.multi-queue tune.maxaccept tune.maxpollevents tune.runqueue-depth tune.sched.low-latency", "event loops have their own measure, and the system shares connections out"},
		{"global", "tune.pattern.cache-size", "patterns need no cache"},
		{"global", "tune.ssl.capture-buffer-size", "the ClientHello is not kept"},
		{"global", "tune.ssl.force-private-cache tune.ssl.lifetime tune.ssl.ssl-ctx-cache-size", "sessions are kept by the clients, in tickets of seven days"},
		{"global", "tune.ssl.hard-maxrecord tune.ssl.maxrecord", "records are as long as what is sent, up to 16 KB"},
		{"global", "tune.ssl.keylog", "keys of connections are not told"},
		{"global", "tune.vars.check-max-size tune.vars.global-max-size tune.vars.proc-max-size tune.vars.reqres-max-size tune.vars.sess-max-size " +
			"tune.vars.txn-max-size", "variables are not limited"},

		{"proxy", "option~contstats", "bytes are counted as a request or connection ends"},
		{"proxy", "option~persist dynamic-cookie-key", "no cookie leads to a server"},
		{"proxy", "option~socket-stats", "listeners are counted together, as their frontend"},
		{"proxy", "stats~show-modules", "the page has no tables of modules; their columns are in the CSV"},
		{"proxy", "compression", "responses pass as the server sent them"},
		{"proxy", "declare", "rules capture nothing"},
		{"proxy", "email-alert", "changes of servers are logged"},
		{"proxy", "error-log-format", "failed connections are logged in the form HAProxy has without it"},
		{"proxy", "http-error", "errorfile, errorfiles and errorloc replace pages"},
		{"proxy", "load-server-state-from-file server-state-file-name", "the state of servers outlives reloads and crashes without a file"},
		{"proxy", "log-format-sd", "lines in rfc5424 have no structured data"},

		{"bind", "accept-netscaler-cip", "accept-proxy is the header that is understood"},
		{"bind", "allow-0rtt", "early data is not taken, the client sends it again"},
		{"bind", "ca-sign-file ca-sign-pass generate-certificates", "certificates are taken from files alone"},
		{"bind", "npn", "protocols are agreed on by alpn"},
		{"bind", "quic-cc-algo quic-force-retry", "there is no QUIC"},
		{"bind", "force-sslv3", "SSL 3 is never spoken"},
		{"server", "allow-0rtt", "requests wait for the end of the handshake"},
		{"server", "log-proto", "logs are sent to the addresses of log lines"},
		{"server", "non-stick stick", "no table leads to a server"},
		{"server", "npn", "protocols are agreed on by alpn"},
		{"server", "force-sslv3", "SSL 3 is never spoken"},

		{"section", "peers", "tables and their counters stay on this node"},
		{"section", "mailers", "changes of servers are logged"},
		{"section", "cache", "every response comes from a server"},
		{"section", "ring", "logs are sent to the addresses of log lines"},
		{"section", "log-forward", "herald receives no logs"},
		{"section", "fcgi-app", "servers are spoken to in HTTP"},
		{"section", "program", "the service manager runs other programs"},
	} {
		for w := range strings.FieldsSeq(r.words) {
			m[r.where+" "+strings.ReplaceAll(w, "~", " ")] = r.text
		}
	}
	return m
}()
