package directive

import (
	"slices"

	"herald/config"
)

// The words of the LVS half of keepalived. herald balances in user space and
// acts on none of them; they are known so that one clear warning stands for a
// whole virtual server and a misspelt word in it is still found.

var virtualServerWords = config.NewRegistry(nest(plan[nothing](delayPlan+virtualServerPlan),
	map[string]registry[nothing]{"real_server": realServerWords})...)

var realServerWords = config.NewRegistry(nest(plan[nothing](delayPlan+realServerPlan), checkers)...)

// checkers gives each checker its words.
var checkers = map[string]registry[nothing]{
	"TCP_CHECK":  checker(""),
	"PING_CHECK": checker(""),
	"HTTP_GET":   httpChecker(httpPlan),
	"SSL_GET":    httpChecker(httpPlan),
	"SMTP_CHECK": config.NewRegistry(nest(plan[nothing](connectPlan+smtpPlan), map[string]registry[nothing]{"host": checker("")})...),
	"DNS_CHECK":  checker(dnsPlan),
	"MISC_CHECK": leaf(repeatPlan + miscPlan),
	"UDP_CHECK":  checker(udpPlan),
	"FILE_CHECK": leaf(filePlan),
	"BFD_CHECK":  leaf("name NAME | The BFD session. | b\nalpha [BOOL] | Down until the first success. |"),
}

func checker(table string) registry[nothing] { return leaf(connectPlan + table) }

func httpChecker(table string) registry[nothing] {
	return config.NewRegistry(slices.Concat(nest(plan[nothing](connectPlan+table), map[string]registry[nothing]{"url": leaf(urlPlan)}))...)
}

const delayPlan = `
connect_timeout SECONDS | How long a check waits, 5 s. | 3
retry COUNT | Further checks before a server is down. | 3
delay_before_retry SECONDS | Time between those. | 1
warmup SECONDS | Spreads the first checks. | 10
delay_loop SECONDS | Time between checks, 60 s. | 6
smtp_alert [BOOL] | Sends mail at a change. | on
virtualhost NAME | The Host of HTTP checks. | www.example.com
snmp_name TEXT | A name for SNMP. | web
inhibit_on_failure [BOOL] | Sets weight 0 instead of removing a server. |
alpha [BOOL] | Servers are down until checked. |
`

const virtualServerPlan = `
lvs_sched ALGORITHM | How servers are picked. | rr
lb_algo ALGORITHM | Old name of lvs_sched. | rr
lvs_method NAT|DR|TUN [OPTION...] | How packets reach servers. | NAT
lb_kind NAT|DR|TUN [OPTION...] | Old name of lvs_method. | NAT
flag-1 | First flag of the algorithm. |
flag-2 | Second flag of the algorithm. |
flag-3 | Third flag of the algorithm. |
sh-port | Source hashing counts the port. |
sh-fallback | Source hashing falls back. |
mh-port | Maglev hashing counts the port. |
mh-fallback | Maglev hashing falls back. |
ops | Schedules every UDP packet anew. |
hashed | Looks up servers by hash. |
persistence_engine NAME | Persistence by SIP call. | sip
persistence_timeout [SECONDS] | Keeps clients on a server, 6 min. | 360
persistence_granularity MASK | Keeps whole networks on a server. | 255.255.255.0
protocol TCP|UDP|SCTP | The protocol. | TCP
ha_suspend | No checks while the address is elsewhere. |
omega | Runs the down scripts at the end. |
quorum WEIGHT | Least weight of live servers, 1. | 2
hysteresis WEIGHT | Damps the quorum, 0. | 1
quorum_up SCRIPT [USER [GROUP]] | Runs when the quorum is gained. | /usr/local/bin/up
quorum_down SCRIPT [USER [GROUP]] | Runs when the quorum is lost. | /usr/local/bin/down
ip_family inet|inet6 | Family of a fwmark service. | inet
weight NUMBER | Default weight of servers. | 1
sorry_server ADDRESS [PORT] | Takes over when the quorum is lost. | 192.0.2.9 80
sorry_server_inhibit | Sets weight 0 for it instead. |
sorry_server_lvs_method NAT|DR|TUN [OPTION...] | How packets reach it. | DR
real_server ADDRESS [PORT] { ... } | A server. | 192.0.2.2 80 { weight 1 }
`

const realServerPlan = `
weight NUMBER | Share of connections, 1. | 1
lvs_method NAT|DR|TUN [OPTION...] | How packets reach it. | NAT
uthreshold COUNT | Most connections. | 100
lthreshold COUNT | Connections below which it takes new ones. | 50
notify_up SCRIPT [USER [GROUP]] | Runs when it comes up. | /usr/local/bin/up
notify_down SCRIPT [USER [GROUP]] | Runs when it goes down. | /usr/local/bin/down
TCP_CHECK { ... } | Checks by connecting. | { connect_port 80 }
PING_CHECK { ... } | Checks by ICMP echo. | { retry 2 }
HTTP_GET { ... } | Checks by an HTTP request. | { url { path / status_code 200 } }
SSL_GET { ... } | Checks by an HTTPS request. | { enable_sni url { path / } }
SMTP_CHECK { ... } | Checks by an SMTP greeting. | { helo_name a.example.com }
DNS_CHECK { ... } | Checks by a DNS query. | { type A name example.com }
MISC_CHECK { ... } | Checks by a script. | { misc_path /usr/local/bin/check }
UDP_CHECK { ... } | Checks by a UDP packet. | { payload 00 }
FILE_CHECK { ... } | Checks a tracked file. | { track_file f }
BFD_CHECK { ... } | Checks a BFD session. | { name b }
`

const connectPlan = `
connect_ip ADDRESS | Address to connect to. | 192.0.2.2
connect_port PORT | Port to connect to. | 80
bindto ADDRESS | Address to connect from. | 192.0.2.1
bind_if INTERFACE | Interface to connect from. | eth0
bind_port PORT | Port to connect from. | 1025
fwmark NUMBER | Mark of the check's packets. | 7
connect_timeout SECONDS | How long to wait. | 3
` + repeatPlan

const repeatPlan = `
retry COUNT | Further checks before it is down. | 3
delay_before_retry SECONDS | Time between those. | 1
warmup SECONDS | Spreads the first checks. | 10
delay_loop SECONDS | Time between checks. | 6
alpha [BOOL] | Down until the first success. |
log_all_failures [BOOL] | Logs every failure. | on
`

const httpPlan = `
nb_get_retry COUNT | Old name of retry. | 3
http_protocol 1.0|1.0C|1.1 | Version of the request. | 1.1
fast_recovery [BOOL] | Checks all urls at once. |
enable_sni | Sends the server name. |
sni_name NAME | Which server name (newer than 2.2.7). | www.example.com
tls_compliant | Ends TLS as the RFC says (newer than 2.2.7). |
virtualhost NAME | The Host of the request. | www.example.com
url { ... } | What to ask for and to expect. | { path / }
`

const urlPlan = `
path TEXT | The path. | /
digest HEX | Digest of the answer. | 9b3a0c85a887a256d6939da88aabd8cd
status_code CODE... | Codes that are good. | 200-299
virtualhost NAME | The Host of the request. | www.example.com
regex TEXT | What the answer must match. | ok
regex_no_match | What it must not match. |
regex_options OPTION... | Options of the match. | caseless
regex_stack START MAX | Stack of the match. | 1000 2000
regex_min_offset BYTES | Where the match may begin. | 0
regex_max_offset BYTES | Where the match may begin at most. | 100
tls_compliant | Ends TLS as the RFC says (newer than 2.2.7). |
`

const smtpPlan = `
helo_name NAME | The name in HELO. | a.example.com
host { ... } | Another place to connect to. | { connect_ip 192.0.2.3 }
`

const dnsPlan = `
type A|NS|CNAME|SOA|MX|TXT|AAAA | Type of the query, SOA. | A
name NAME | Name of the query, the root. | example.com
`

const miscPlan = `
misc_path SCRIPT | The script. | /usr/local/bin/check
misc_timeout SECONDS | How long it may take. | 3
misc_dynamic | Its exit code sets the weight. |
user USER [GROUP] | The account it runs as. | nobody
`

const udpPlan = `
payload HEX... | What to send. | 00
require_reply [HEX...] | An answer is needed. |
min_reply_length BYTES | Its least length, 0. | 1
max_reply_length BYTES | Its greatest length, 255. | 100
`

const filePlan = `
track_file NAME | The tracked file. | f
weight NUMBER [reverse] | Factor of its number. | 1
dynamic | Its number sets the weight. |
`
