package directive

import (
	"maps"
	"slices"
	"strings"

	"herald/config"
)

// Keywords that HAProxy knows and this program does not act on yet. A keyword
// whose absence sends traffic elsewhere, lets someone pass, or leaves
// something unserved is an error; one that only tunes or hints is a warning.

// names makes a table of the blank-separated words, each after prefix.
func names(sev config.Severity, words string, prefix string) map[string]config.Severity {
	m := map[string]config.Severity{}
	for w := range strings.FieldsSeq(words) {
		m[prefix+w] = sev
	}
	return m
}

// merge joins tables; a later one wins.
func merge[V any](tables ...map[string]V) map[string]V {
	m := map[string]V{}
	for _, t := range tables {
		maps.Copy(m, t)
	}
	return m
}

// unbuiltSections are sections other than global, defaults and proxies.
var unbuiltSections = merge(
	names(config.Error, "userlist log-forward program", ""),
	names(config.Warning, "peers mailers cache ring fcgi-app crt-store log-profile traces acme", ""),
)

var knownGlobal = merge(
	names(config.Notice, "cpu-map quiet zero-warning master-worker strict-limits set-dumpable numa-cpu-mapping "+
		"insecure-setuid-wanted mworker-max-reloads ulimit-n busy-polling thread-group thread-groups "+
		"noepoll noevports nokqueue nopoll noreuseport nogetaddrinfo no-memory-trimming", ""),
	names(config.Warning, "51degrees-cache-size 51degrees-data-file 51degrees-property-name-list 51degrees-property-separator "+
		"close-spread-time cluster-secret default-path deviceatlas-json-file deviceatlas-log-level "+
		"deviceatlas-properties-cookie deviceatlas-separator expose-experimental-directives fd-hard-limit grace "+
		"httpclient.resolvers.id httpclient.resolvers.prefer httpclient.ssl.ca-file httpclient.ssl.verify issuers-chain-path "+
		"localpeer maxcompcpuusage maxcomprate maxpipes maxzlibmem pp2-never-send-local "+
		"profiling.memory profiling.tasks server-state-base server-state-file set-var set-var-fmt "+
		"ssl-default-bind-client-sigalgs ssl-default-bind-sigalgs ssl-mode-async ssl-propquery "+
		"ssl-provider ssl-provider-path ssl-skip-self-issued-ca wurfl-cache-size wurfl-data-file "+
		"wurfl-information-list wurfl-information-list-separator anonkey", ""),
	names(config.Error, "lua-load lua-load-per-thread lua-prepend-path", ""),
	names(config.Warning, "buffers.limit buffers.reserve comp.maxlevel fail-alloc fd.edge-triggered "+
		"http.cookielen "+
		"idle-pool.shared idletimer listener.multi-queue lua.forced-yield lua.maxmem lua.service-timeout lua.session-timeout "+
		"lua.task-timeout maxaccept maxpollevents pattern.cache-size peers.max-updates-at-once pipesize pool-high-fd-ratio "+
		"pool-low-fd-ratio quic.conn-buf-limit quic.frontend.conn-tx-buffers.limit quic.frontend.max-idle-timeout "+
		"quic.frontend.max-streams-bidi quic.max-frame-loss quic.retry-threshold recv_enough "+
		"runqueue-depth sched.low-latency ssl.capture-buffer-size "+
		"ssl.force-private-cache ssl.hard-maxrecord ssl.keylog ssl.lifetime ssl.maxrecord "+
		"ssl.ssl-ctx-cache-size vars.check-max-size vars.global-max-size vars.proc-max-size vars.reqres-max-size "+
		"vars.sess-max-size vars.txn-max-size zlib.memlevel zlib.windowsize", "tune."),
	newerGlobal,
)

// Words of HAProxy 2.7 to 3.2, so that files written for those are told apart
// from misspelled ones.
var (
	newerGlobal = merge(
		names(config.Warning, "dns-accept-family expose-deprecated-directives force-cfg-parser-pause "+
			"harden.reject-privileged-ports.quic harden.reject-privileged-ports.tcp http-err-codes http-fail-codes key-base "+
			"limited-quic no-quic ocsp-update.disable ocsp-update.httpproxy ocsp-update.maxdelay ocsp-update.mindelay "+
			"ocsp-update.mode prealloc-fd shm-stats-file ssl-default-server-client-sigalgs ssl-default-server-curves "+
			"ssl-default-server-sigalgs ssl-security-level stats-file warn-blocked-traffic-after", ""),
		names(config.Warning, "applet.zero-copy-forwarding buffers.reserve bufsize.large bufsize.small "+
			"disable-fast-forward disable-zero-copy-forwarding events.max-events-at-once glitches.kill.cpu-usage "+
			"h1.zero-copy-fwd-recv h1.zero-copy-fwd-send h2.be.glitches-threshold h2.be.initial-window-size "+
			"h2.be.max-concurrent-streams h2.be.rxbuf h2.fe.glitches-threshold h2.fe.initial-window-size "+
			"h2.fe.max-concurrent-streams h2.fe.max-total-streams h2.fe.rxbuf h2.zero-copy-fwd-send idle-pool.shared "+
			"listener.default-shards lua.bool-sample-conversion lua.burst-timeout lua.log.loggers lua.log.stderr "+
			"max-checks-per-thread memory.hot-size peers.max-updates-at-once pt.zero-copy-forwarding ring.queues "+
			"ssl.ocsp-update.maxdelay ssl.ocsp-update.mindelay stick-counters takeover-other-tg-connections", "tune."),
	)
	newerProxy = merge(
		names(config.Error, "force-be-switch", ""),
		names(config.Warning, "guid hash-preserve-affinity log-steps quic-initial", ""),
		names(config.Warning, "accept-unsafe-violations-in-http-request accept-unsafe-violations-in-http-response forwarded "+
			"http-drop-request-trailers http-drop-response-trailers", "option "),
		names(config.Warning, "client-hs", "timeout "),
	)
)

var knownProxy = merge(
	names(config.Error, "cookie filter force-persist http-after-response http-request "+
		"http-response ignore-persist persist redirect "+
		"stick stick-table use-fcgi-app", ""),
	names(config.Error, "http_proxy", "option "),
	names(config.Warning, "contstats persist socket-stats", "option "),
	names(config.Warning, "show-modules", "stats "),
	names(config.Warning, "compression declare dynamic-cookie-key email-alert "+
		"error-log-format http-error "+
		"load-server-state-from-file log-format-sd server-state-file-name", ""),
	newerProxy,
)

// knownOption is a word after a bind or server address.
type knownOption struct {
	args     int
	severity config.Severity
	silent   bool   // means what is done anyway
	old      string // an obsolete form: what to write instead
}

// optionNames makes a table of the blank-separated words, each with a number
// of arguments.
func optionNames(args int, sev config.Severity, words string) map[string]knownOption {
	m := map[string]knownOption{}
	for w := range strings.FieldsSeq(words) {
		m[w] = knownOption{args: args, severity: sev}
	}
	return m
}

// silent makes a table of words that ask for what is done anyway.
var knownBind = merge(
	optionNames(0, config.Error, "force-sslv3"),
	optionNames(1, config.Error, "accept-netscaler-cip"),
	optionNames(0, config.Warning, "allow-0rtt generate-certificates quic-force-retry"),
	optionNames(1, config.Warning, "ca-sign-file ca-sign-pass npn "+
		"quic-cc-algo"),
	optionNames(1, config.Warning, "cc client-sigalgs default-crt guid-prefix idle-ping label ocsp-update quic-socket sigalgs"),
	map[string]knownOption{"process": {args: 1, silent: true, old: "nothing in its place; remove the word and its argument"}},
)

var knownServer = merge(
	optionNames(0, config.Error, "force-sslv3"),
	optionNames(1, config.Error, "log-proto"),
	optionNames(0, config.Warning, "allow-0rtt non-stick stick"),
	optionNames(1, config.Warning, "npn "+
		"cc client-sigalgs guid hash-key idle-ping init-state log-bufsize "+
		"pool-conn-name set-proxy-v2-tlv-fmt sigalgs"),
)

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
