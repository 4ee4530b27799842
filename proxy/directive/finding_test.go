package directive

import (
	"strings"
	"testing"
)

// found builds text and returns the findings, one a line, without "t:".
func found(text string) string {
	_, diags := build(text, world)
	var lines []string
	for _, d := range diags {
		lines = append(lines, strings.TrimPrefix(d.String(), "t:"))
	}
	return strings.Join(lines, "\n")
}

// Line 8 is the one below quiet.
func TestFindingsInAProxy(t *testing.T) {
	tests := map[string]string{
		"": "",
		// Words.
		"fooo":                                    "8: error: unknown keyword \"fooo\"",
		"bnid :81":                                `8: error: unknown keyword "bnid": did you mean "bind"?`,
		"listn":                                   `8: error: unknown keyword "listn": did you mean "listen"?`,
		"option httplgo":                          `8: error: unknown option "httplgo": did you mean "httplog"?`,
		"option":                                  `8: error: "option" needs a keyword after it`,
		"timeout cleint 1":                        `8: error: unknown timeout "cleint": did you mean "client"?`,
		"stats":                                   `8: error: "stats" needs a keyword after it`,
		"stats urri /x":                           `8: error: unknown stats "urri": did you mean "uri"?`,
		"nbthread 3":                              `8: error: keyword "nbthread" belongs in the global section, not in a proxy`,
		"stats socket /x":                         `8: error: keyword "stats" belongs in the global section, not in a proxy`,
		"acl a path /":                            "",
		"acl a path_bag /":                        `8: error: acl: unknown fetch "path_bag", did you mean "path_beg"?`,
		"acl a src 10.0.0.300":                    `8: error: acl: "10.0.0.300" is not ADDRESS[/MASK]; names are not resolved`,
		"acl a path -f /x":                        `8: error: acl: open /x: no such file or directory`,
		"acl a/b path /":                          `8: error: acl: character "/" is not permitted in ACL name "a/b"`,
		"acl a path":                              `8: warning: acl: there is nothing to compare path with, it never matches; -m found asks whether it is there`,
		"use_backend b if { path /":               `8: error: use_backend: "{" has no "}"`,
		"use_backend b if apo":                    `8: error: use_backend: unknown ACL "apo"`,
		"use_backend b when TRUE":                 `8: error: use_backend: expected "if" or "unless" and a condition, not "when"`,
		"use_backend %[x]":                        `8: error: use_backend: unknown fetch "x"`,
		"use_backend a%x":                         `8: error: use_backend: "%x": expected %[EXPRESSION], or %% for a percent sign`,
		"use_backend a%[path":                     `8: error: use_backend: "%[path": expected "]" at the end of the expression`,
		"use_backend %[srv_id]":                   `8: error: use_backend: srv_id looks at what is not there yet`,
		"server a h:1\nuse-server b if TRUE":      `9: error: unknown server "b": did you mean "a"?`,
		"use-server %[hdr(a),none] if TRUE":       `8: error: use-server: unknown converter "none"`,
		"tcp-response content drop":               `8: error: action "drop" is known to HAProxy but not supported yet`,
		"tcp-response connect reject":             `8: error: tcp-response: unknown kind of rule "connect", expected one of content, inspect-delay: did you mean "content"?`,
		"tcp-response content reject if METH_GET": `8: warning: tcp-response: method looks at what is not there, the condition never holds here`,
		"tcp-request content sc0 if TRUE":         `8: error: action "sc0" is known to HAProxy but not supported yet`,
		"tcp-request konnection accept":           `8: error: tcp-request: unknown kind of rule "konnection", expected one of connection, content, inspect-delay, session: did you mean "connection"?`,
		"tcp-request session reject if METH_GET":  `8: warning: tcp-request: method looks at what is not there, the condition never holds here`,
		"compression algo x":                      `8: warning: keyword "compression" is known to HAProxy but not supported yet: responses pass as the server sent them`,
		"option splice-auto":                      "",
		"option forwarded":                        `8: warning: keyword "option forwarded" is known to HAProxy but not supported yet`,
		"no mode http":                            `8: error: "no" and "default" do not go with "mode"`,
		"no option httplog":                       `8: error: "no" and "default" do not go with "option httplog"`,
		"default option foo":                      `8: error: unknown option "foo"`,
		`mode http "" x`:                          `8: warning: empty argument ends the line, "x" and what follows is ignored`,
		"default_backend a b":                     `8: error: "default_backend" cannot handle unexpected argument "b"`,
		"default_backend":                         `8: error: "default_backend" expects NAME`,
		"mode foo":                                `8: error: unknown mode "foo"`,
		"mode htp":                                `8: error: unknown mode "htp": did you mean "http"?`,
		// Numbers and times.
		"retries x":                           `8: error: retries: "x" is not a whole number from 0 to 2147483647`,
		"maxconn -1":                          `8: error: maxconn: -1 is outside 0 to 2147483647`,
		"fullconn x":                          `8: error: fullconn: "x" is not a whole number from 0 to 2147483647`,
		"backlog x":                           `8: error: backlog: "x" is not a whole number from 0 to 2147483647`,
		"id 0":                                `8: error: id: 0 is outside 1 to 2147483647`,
		"timeout client x":                    `8: error: timeout client: "x" is not a time, expected a number with us, ms, s, m, h or d`,
		"timeout client 1w":                   `8: error: timeout client: "w" is not a unit of time in "1w", expected us, ms, s, m, h or d`,
		"timeout queue 100d":                  `8: error: timeout queue: time "100d" is longer than 24.8 days`,
		"timeout queue 1 2":                   `8: error: "timeout queue" cannot handle unexpected argument "2"`,
		"timeout queue":                       `8: error: "timeout queue" expects TIME`,
		"balance foo":                         `8: error: unknown balance algorithm "foo"`,
		"balance leastcon":                    `8: error: unknown balance algorithm "leastcon": did you mean "leastconn"?`,
		"balance hdr":                         `8: error: balance: hdr needs the name of a header, as in hdr(Host)`,
		"balance hdr(Host":                    `8: error: balance: "hdr(Host" lacks its closing parenthesis`,
		"balance random(0)":                   `8: error: balance: random: 0 is outside 1 to 2147483647`,
		"balance uri dep 2":                   `8: error: unknown word of balance uri "dep"`,
		"balance uri len":                     `8: error: balance: len needs a number`,
		"balance url_param":                   `8: error: balance: url_param needs the name of a parameter`,
		"balance hash":                        `8: error: balance: hash needs an expression`,
		"balance hash sorce":                  `8: error: balance: unknown fetch "sorce"`,
		"balance hash pth":                    `8: error: balance: unknown fetch "pth", did you mean "path"?`,
		"balance hash src,crc":                `8: error: balance: unknown converter "crc"`,
		"balance hash status":                 `8: error: balance: status looks at what is not there yet`,
		"balance hash nbsrv(nope)":            `8: error: nbsrv: no such backend: "nope"`,
		"use_backend l if { srv_is_up(x) }":   `8: error: srv_is_up: "l" has no server "x"`,
		"use_backend l if { fe_conn(x) 1 }":   `8: error: fe_conn: no such frontend: "x"`,
		"balance hash ssl_fc_session_key":     `8: error: balance: ssl_fc_session_key is known to HAProxy and not available here: crypto/tls keeps the keys of a session to itself`,
		"balance leastconn x":                 `8: warning: balance: "x" is ignored`,
		"hash-type consisten":                 `8: error: unknown hash-type "consisten": did you mean "consistent"?`,
		"hash-type consistent sdbn":           `8: error: unknown hash function "sdbn": did you mean "sdbm"?`,
		"hash-type map-based sdbm avalance":   `8: error: unknown modifier of hash-type "avalance": did you mean "avalanche"?`,
		"server a h:1 track b":                `8: error: server "a" tracks l/b, which does not exist`,
		"server a h:1 track x/b":              `8: error: server "a" tracks a server of the backend "x", which does not exist`,
		"server a h:1 track a":                `8: error: server "a" tracks itself, over l/a`,
		"server a h:1\n server b h:1 track a": `9: error: server "b" tracks l/a, which has no check`,
		"server a h:1 check\n server b h:1 track a check":                    `9: error: server "b" cannot have checks and track another server at the same time`,
		"server a h:1 check\n server b h:1 track a\n server c h:1 track l/b": ``,
		"server a h:1 observe layer3":                                        `8: error: server: observe: "layer3" is not known: did you mean "layer4"?`,
		"server a h:1 on-error die":                                          `8: error: server: on-error: "die" is not fail-check, fastinter, mark-down, sudden-death`,
		"server a h:1 error-limit 0":                                         `8: error: server: error-limit: 0 is outside 1 to 2147483647`,
		"server-template s 0 h:1":                                            `8: error: server-template: "0" is not a number or a range of numbers, FIRST-LAST`,
		"server-template s 5-3 h:1":                                          `8: error: server-template: "5-3" is not a number or a range of numbers, FIRST-LAST`,
		"server-template s 1-200000 h:1":                                     `8: error: server-template: "1-200000" is more than 100000 servers`,
		"server-template s/ 2 h:1":                                           `8: error: server-template: character "/" is not permitted in server name "s/"`,
		"server-template s 2":                                                `8: error: "server-template" expects PREFIX NUMBER|FIRST-LAST ADDRESS[:PORT] [OPTION ...]`,
		"server-template s 2 h:1\n server s2 h:1":                            `9: error: listen "l" has another server "s2" at t:8, use distinct names`,
		"dispatch 127.0.0.1":                                                 `8: error: dispatch: "127.0.0.1" lacks a port`,
		"dispatch 127.0.0.1:1-2":                                             `8: error: dispatch: a port range is not permitted in "127.0.0.1:1-2"`,
		"balance first\n dispatch h:1":                                       `9: warning: the dispatch address of listen "l" is ignored, as "balance" is set`,
		"hash-balance-factor 100":                                            `8: error: hash-balance-factor: 100 must be 0 or greater than 100`,
		"mode tcp\n balance uri":                                             `9: warning: balance uri needs "mode http" in listen "l": falling back to roundrobin`,
		"balance roundrobin x":                                               `8: warning: balance: "x" is ignored`,
		// Old forms.
		"contimeout 5s":              `8: warning: "contimeout" is an old form, accepted here; write: timeout connect 5s`,
		"timeout clitimeout 5":       `8: warning: "timeout clitimeout" is an old form, accepted here; write: timeout client 5`,
		"redispatch":                 `8: warning: "redispatch" is an old form, accepted here; write: option redispatch`,
		"no redispatch":              `8: warning: "redispatch" is an old form, accepted here; write: no option redispatch`,
		"option forceclose":          `8: warning: "option forceclose" is an old form, accepted here; write: option httpclose`,
		"option http-tunnel":         `8: warning: "option http-tunnel" is an old form, accepted here; write: nothing in its place; remove the line`,
		"option http-use-htx":        `8: warning: "option http-use-htx" is an old form, accepted here; write: nothing in its place; remove the line`,
		"grace 3":                    `8: warning: "grace" is an old form, accepted here; write: nothing in its place; remove the line`,
		"bind-process 1":             `8: warning: "bind-process" is an old form, accepted here; write: nothing in its place; remove the line`,
		"bind :81 process 1":         `8: warning: "process" is an old form, accepted here; write: nothing in its place; remove the word and its argument`,
		"option independant-streams": "8: warning: \"option independant-streams\" is an old form, accepted here; write: option independent-streams",
		"block if BAD":               old("block", "http-request deny if BAD", "http-request"),
		`reqadd X-A:\ b\ c if Z`:     old("reqadd", `http-request add-header X-A b\ c if Z`, "http-request"),
		"rspadd":                     old("rspadd", "http-response add-header NAME VALUE", "http-response"),
		`reqrep ^a\ (.*) b\\1`:       old("reqrep", `http-request replace-header NAME ^a\ (.*) b\\1`, "http-request"),
		"reqirep a b":                old("reqirep", "http-request replace-header NAME (?i)a b", "http-request"),
		"rsprep a b":                 old("rsprep", "http-response replace-header NAME a b", "http-response"),
		"rspirep":                    old("rspirep", "http-response replace-header NAME MATCH FORMAT", "http-response"),
		"reqdel ^X-A:.*":             old("reqdel", "http-request del-header X-A", "http-request"),
		"reqidel":                    old("reqidel", "http-request del-header NAME", "http-request"),
		"rspdel X-A: if Z":           old("rspdel", "http-response del-header X-A if Z", "http-response"),
		"rspidel X":                  old("rspidel", "http-response del-header X", "http-response"),
		"reqdeny a if Z":             old("reqdeny", "http-request deny if Z", "http-request"),
		"reqtarpit a":                old("reqtarpit", "http-request tarpit if { path_reg a }", "http-request"),
		"reqsetbe /a b":              old("reqsetbe", "use_backend b if { path_reg /a }", "use_backend"),
		"reqisetbe /a b":             old("reqisetbe", "use_backend b if { path_reg -i /a }", "use_backend"),
		"monitor-net 10.0.0.0/8":     `8: error: "monitor-net" is gone, from HAProxy 2.6 too: monitor-uri for one path, or http-request return status 200 if { src 10.0.0.0/8 }`,
		"appsession S len 3":         old("appsession", "stick on req.cook(S)", "stick"),
		"mode health": "8: warning: \"mode health\" is an old form, accepted here; write: http-request return status 200\n" +
			`8: error: keyword "http-request" is known to HAProxy but not supported yet`,
		// Addresses.
		"bind":                         `8: error: "bind" expects [ADDRESS]:PORT[-PORT] | PATH [, ...] [OPTION ...]`,
		"bind 8001":                    `8: error: bind: missing port in "8001"`,
		"bind 10.0.0.1":                `8: error: bind: missing port in "10.0.0.1"`,
		"bind :0":                      `8: error: bind: invalid port in ":0"`,
		"bind :+1":                     `8: error: bind: invalid port in ":+1"`,
		"bind :70000":                  `8: error: bind: port: 70000 is outside 0 to 65535`,
		"bind :1-x":                    `8: error: bind: port range: "x" is not a whole number from 0 to 65535`,
		"bind :9-3":                    `8: error: bind: port range "9-3" runs backwards`,
		"bind [::1:80":                 `8: error: bind: "[::1:80" is not an address, expected [ADDRESS]:PORT`,
		"bind abns@x":                  "",
		"bind fd@3":                    "",
		"bind unix@":                   `8: error: bind: "unix@" has no path`,
		"bind ipv4@[::1]:80":           `8: error: bind: "::1" is not an IPv4 address`,
		"bind ipv6@127.0.0.1:80":       `8: error: bind: "127.0.0.1" is not an IPv6 address`,
		"bind nosuch:80":               `8: error: bind: host "nosuch" is not known: no such host`,
		"bind :81 foo":                 `8: error: unknown bind option "foo"`,
		"bind :81 name":                `8: error: bind: name: missing NAME`,
		"bind :81 maxconn x":           `8: error: bind: maxconn: "x" is not a whole number from 0 to 2147483647`,
		"bind /x mode 9":               `8: error: bind: mode: "9" is not an octal mode`,
		"bind /x user nobody":          `8: error: bind: user: user "nobody" is not known: no such user`,
		"bind :81 level foo":           `8: error: bind: level: "foo" is not user, operator or admin`,
		"bind :81 ssl":                 `8: error: bind: ssl needs a certificate: "crt FILE"`,
		"bind :81 crt /x name a":       "",
		"bind :81 accept-proxy":        "",
		"bind :81 expose-fd listeners": "",
		// Servers.
		"server":                        `8: error: "server" expects NAME ADDRESS[:PORT] [OPTION ...]`,
		"server a":                      `8: error: "server" expects NAME ADDRESS[:PORT] [OPTION ...]`,
		"server a/b h:1":                `8: error: server: character "/" is not permitted in server name "a/b"`,
		"server a h:1-2":                `8: error: server: a port range is not permitted in "h:1-2"`,
		"server a h:+2":                 "",
		"server a *:80":                 "",
		"server a sockpair@3":           `8: error: address family "sockpair@" is known to HAProxy but not supported yet`,
		"server a h:x":                  `8: error: server: port: "x" is not a whole number from 0 to 65535`,
		"server a h:1 foo":              `8: error: unknown server option "foo"`,
		"server a h:1 inter":            `8: error: server: inter: missing TIME`,
		"server a h:1 inter 0":          `8: error: server: inter: "0" is not between 1us and 24.8 days`,
		"server a h:1 inter x":          `8: error: server: inter: "x" is not a time, expected a number with us, ms, s, m, h or d`,
		"server a h:1 weight 300":       `8: error: server: weight: 300 is outside 0 to 256`,
		"server a h:1 rise 0":           `8: error: server: rise: 0 is outside 1 to 2147483647`,
		"server a h:1 on-marked-down x": `8: error: server: on-marked-down: "x" is not shutdown-sessions or none`,
		"server a h:1 init-addr x,":     `8: error: server: init-addr: "x" is not last, libc, none or an address`,
		"server a h:1 ssl verify none":  "",
		"server a h:1 source 1.2.3.4 usesrc client weight 300": `8: error: server: weight: 300 is outside 0 to 256`,
		"server a h:1 usesrc client":                           `8: error: server: usesrc goes behind "source ADDRESS"`,
		"server a h:1 source":                                  "8: error: server: source: missing " + sourceSyntax,
		"server a h:1 source x":                                `8: error: server: source: "x" is not an IP address`,
		"server a h:1 source 1.2.3.4 usesrc me":                `8: error: server: source: usesrc: "me" is not ADDRESS[:PORT], client, clientip or hdr_ip(NAME)`,
		"source 1.2.3.4 foo":                                   `8: error: source: unknown word "foo", expected usesrc or interface`,
		"bind fd@x":                                            `8: error: bind: "x" is not the number of an inherited descriptor, from 3 up`,
		"server a h:1 no-ssl no-send-proxy":                    "",
		"server a h check":                                     `8: error: server "a" has neither a service port nor a check port`,
		"server a h check port 3":                              "",
		"server a /run/x check":                                "",
		"default-server id 3":                                  `8: error: default-server: "id" is not accepted in default-server`,
		"default-server":                                       `8: error: "default-server" expects OPTION ...`,
		// Logs.
		"log global x":                   `8: error: log: unexpected argument "x" after "global"`,
		"log":                            `8: error: "log" expects global | ` + logSyntax,
		"no log x":                       `8: error: log: "no log" does not take arguments`,
		"default log":                    `8: error: "log" expects global | ` + logSyntax,
		"default log global":             `8: error: log: "default" does not go with "log"`,
		"log 127.0.0.1":                  `8: error: log: expects ` + logSyntax,
		"log 127.0.0.1 localx":           `8: error: log: unknown log facility "localx", expected one of ` + strings.Join(facilities, ", ") + `: did you mean "local0"?`,
		"log 127.0.0.1 local0 foo":       `8: error: log: unknown log level "foo", expected one of ` + strings.Join(levels, ", "),
		"log 127.0.0.1 local0 err err x": `8: error: log: cannot handle unexpected argument "x"`,
		"log 127.0.0.1 len 70 local0":    `8: error: log: 70 is outside 80 to 65535`,
		"log 127.0.0.1 format":           `8: error: log: missing log format, one of ` + strings.Join(logFormats, ", "),
		"log 127.0.0.1 sample 1:2 user":  `8: warning: log option "sample" is known to HAProxy but not supported yet`,
		"log ring@x local0":              `8: warning: log target "ring@" is known to HAProxy but not supported yet`,
		"log ::1 local0":                 `8: error: log: invalid address "::1"`,
		"log 127.0.0.1:x local0":         `8: error: log: port: "x" is not a whole number from 0 to 65535`,
		"log-tag a b":                    `8: warning: log-tag: "b" is ignored, only one argument is used (blanks need quotes or a backslash)`,
		// Statistics.
		"stats realm A B":                         `8: warning: stats realm: "B" is ignored (blanks need quotes or a backslash)`,
		"stats auth secret":                       `8: error: stats auth: expects USER:PASSWORD`,
		"stats refresh x":                         `8: error: stats refresh: "x" is not a time, expected a number with us, ms, s, m, h or d`,
		"stats admin if LOCALHOST":                "",
		"stats admin if NOSUCH":                   `8: error: stats admin: unknown ACL "NOSUCH"`,
		"stats admin TRUE":                        `8: error: stats admin: requires "if" or "unless" and a condition`,
		"monitor fail if":                         `8: error: monitor: requires "if" or "unless" and a condition`,
		"monitor fial if TRUE":                    `8: error: monitor: unknown keyword "fial", expected one of fail: did you mean "fail"?`,
		"stats http-request deny":                 "",
		"stats http-request tarpit":               `8: error: stats http-request: unknown action "tarpit", expected one of allow, auth, deny`,
		"stats http-request auth realm":           `8: error: stats http-request: "realm" expects a text`,
		"stats http-request auth\n stats realm X": `8: error: "l" has stats auth or realm beside stats http-request; one of them decides who sees the page`,
		"stats uri":                               `8: error: "stats uri" expects PREFIX`,
		// Options.
		"option forwardfor except":                      `8: error: option forwardfor: "except" expects ADDRESS[/MASK]: "" is not an address`,
		"option forwardfor except 10.0.0.0/x":           `8: error: option forwardfor: "except" expects ADDRESS[/MASK]: "x" is not a network mask`,
		"option forwardfor except 10.0.0.0/255.0.255.0": `8: error: option forwardfor: "except" expects ADDRESS[/MASK]: network mask "255.0.255.0" has holes`,
		"option forwardfor header":                      `8: error: option forwardfor: "header" expects a name`,
		"option forwardfor heder x":                     `8: error: option forwardfor: unknown argument "heder", expected one of except, header, if-none: did you mean "header"?`,
		"option httplog foo":                            `8: error: option httplog: unknown argument "foo", expected one of clf`,
		"option redispatch x":                           `8: error: option redispatch: "x" is not a whole number from -2147483647 to 2147483647`,
		// Error files.
		"errorfile 599 /errors/x":   `8: error: errorfile: status code "599" is not one of [200 400 401 403 404 405 407 408 410 413 425 429 500 501 502 503 504]`,
		"errorfile 503 /nope":       `8: warning: errorfile: open /nope: no such file or directory; the built-in 503 page is used instead`,
		"errorfile 503 /big":        `8: error: errorfile: file "/big" is larger than a buffer (16384 bytes)`,
		"errorfile 503 /errors/x y": `8: warning: errorfile: "y" is ignored`,
		"errorfile 503":             `8: error: "errorfile" expects STATUS FILE`,
		// Rates.
		"rate-limit sessions":                  `8: error: "rate-limit" expects sessions N`,
		"rate-limit requests 3":                `8: error: rate-limit: unknown keyword "requests", expected one of sessions`,
		"rate-limit sessions 3x":               `8: error: rate-limit: "3x" is not a whole number from 0 to 2147483647`,
		"rate-limit sessions 30":               "",
		"max-session-srv-conns -1":             `8: error: max-session-srv-conns: -1 is outside 0 to 2147483647`,
		"server a h:1 namespace":               `8: error: server: namespace: missing NAME`,
		"server a h:1 check-sni a.example":     "",
		"server a h:1 check-sni req.hdr(host)": `8: warning: check-sni: "req.hdr(host)" is asked for as it is written: a check has no request for an expression to look at`,
		"server a h:1 namespace red":           "",
		"server a h:1 namespace ../x":          `8: error: server: namespace: "../x" is no name of a network namespace`,
		"server a h:1 namespace *":             `8: error: server: namespace: "*", the namespace a PROXY header names, is not supported; write a name`,
		// Unique ids.
		"unique-id-format %ci %cp":               `8: error: "unique-id-format" cannot handle unexpected argument "%cp"`,
		"unique-id-format %xx":                   `8: error: unique-id-format: no such variable '%xx': write '%%' for a percent sign`,
		"unique-id-format %[req.hdr(a":           `8: error: unique-id-format: "%[req.hdr(a": expected "]" at the end of the expression`,
		"unique-id-format %[res.hdr(a)]":         `8: error: unique-id-format: res.hdr looks at what is not there yet`,
		"unique-id-format %[uuid]-%[path,lower]": "",
		"unique-id-header X y":                   `8: warning: unique-id-header: "y" is ignored, only one argument is used (blanks need quotes or a backslash)`,
		// Between sections.
		"server a h:99999 inter 2x":            "8: error: server: port: 99999 is outside 0 to 65535\n8: error: server: inter: \"x\" is not a unit of time in \"2x\", expected us, ms, s, m, h or d",
		"default_backend nope":                 `8: error: listen "l" has default_backend "nope", which does not exist`,
		"default_backend l":                    `5: error: listen "l" is its own default_backend`,
		"server a h:1\nserver a h:2":           `9: error: listen "l" has another server "a" at t:8, use distinct names`,
		"server a h:1 id 4\nserver b h:2 id 4": `9: error: server "b" has the same id 4 as "a"`,
	}
	for text, want := range tests {
		if got := found(quiet + text + "\n"); got != want {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}
}

// old is what a rule of before HAProxy 2.1 is answered with.
func old(word, modern, keyword string) string {
	return `8: warning: "` + word + `" is an old form, accepted here; write: ` + modern + "\n" +
		`8: error: keyword "` + keyword + `" is known to HAProxy but not supported yet`
}

func TestFindingsInTheGlobalSection(t *testing.T) {
	tests := map[string]string{
		"":                           "",
		"maxcon 3":                   `2: error: unknown keyword "maxcon": did you mean "maxconn"?`,
		"maxconn":                    `2: error: "maxconn" expects N`,
		"maxconn a":                  `2: error: maxconn: "a" is not a whole number from 0 to 2147483647`,
		"maxconn 3 4":                `2: error: "maxconn" cannot handle unexpected argument "4"`,
		"maxconn 3\nmaxconn 4":       `3: warning: maxconn: already given as 3, which stays`,
		"maxsslrate 3\nmaxsslrate 4": `3: warning: maxsslrate: already given as 3, which stays`,
		"maxsessrate -3":             `2: error: maxsessrate: -3 is outside 0 to 2147483647`,
		"tune.rcvbuf.client 3x":      `2: error: tune.rcvbuf.client: "x" is not a unit of size in "3x", expected k, m or g`,
		"tune.sndbuf.server 3\ntune.sndbuf.server 4": `3: warning: tune.sndbuf.server: already given as 3, which stays`,
		"nbthread 0":                `2: error: nbthread: 0 is outside 1 to 64`,
		"user nobody":               `2: error: user: user "nobody" is not known: no such user`,
		"user haproxy\nuid 3":       `3: warning: uid: user already given as 106, which stays`,
		"gid 3\ngroup haproxy":      `3: warning: group: group already given as 3, which stays`,
		"gid x":                     `2: error: gid: "x" is not a whole number from 0 to 2147483647`,
		"daemon x":                  `2: error: "daemon" cannot handle unexpected argument "x"`,
		"no daemon":                 `2: error: "no" and "default" do not go with "daemon"`,
		"spread-checks 60":          `2: error: spread-checks: 60 is outside 0 to 50`,
		"hard-stop-after x":         `2: error: hard-stop-after: "x" is not a time, expected a number with us, ms, s, m, h or d`,
		"tune.bufsize 10":           `2: error: tune.bufsize: 10 is outside 1024 to 1073741824`,
		"tune.bufsize x":            `2: error: tune.bufsize: "x" is not a size, expected a number with k, m or g`,
		"log global local0":         `2: error: log: "global" cannot stand in the global section`,
		"stats socket /x level foo": `2: error: stats socket: level: "foo" is not user, operator or admin`,
		"stats socket":              `2: error: "stats socket" expects PATH | ADDRESS:PORT [OPTION ...]`,
		"stats sokcet /x":           `2: error: unknown stats "sokcet": did you mean "socket"?`,
		"stats maxconn 0":           `2: error: stats maxconn: 0 is outside 1 to 2147483647`,
		"cpu-map 1 0":               `2: notice: keyword "cpu-map" is known to HAProxy but not supported yet: the system places the event loops, nbthread says how many there are`,
		"no strict-limits":          `2: notice: keyword "strict-limits" is known to HAProxy but not supported yet: as many descriptors are used as the system allows`,
		"tune.ssl.cachesize x":      `2: error: tune.ssl.cachesize: "x" is not a whole number from 0 to 2147483647`,
		"lua-load /x":               `2: error: keyword "lua-load" is known to HAProxy but not supported yet: there is no Lua`,
		"option httplog":            `2: error: keyword "option" belongs in a proxy section, not in global`,
		"acl a path /":              `2: error: keyword "acl" belongs in a proxy section, not in global`,
		"setenv X":                  `2: error: "setenv" expects NAME VALUE`,
		"nbproc 2":                  `2: warning: "nbproc" is an old form, accepted here; write: nbthread 2`,
		"debug":                     `2: warning: "debug" is an old form, accepted here; write: nothing in its place; remove the line`,
		"ssl-engine x":              `2: warning: "ssl-engine" is an old form, accepted here; write: nothing in its place; remove the line`,
		"stats bind-process 1":      `2: warning: "stats" is an old form, accepted here; write: nothing in its place; remove the line`,
		"tune.chksize 3":            `2: warning: "tune.chksize" is an old form, accepted here; write: tune.bufsize 3`,
		"tune.http_maxhdr 3":        "2: warning: \"tune.http_maxhdr\" is an old form, accepted here; write: tune.http.maxhdr 3",
		"tune.ssl.capture-cipherlist-size 3": "2: warning: \"tune.ssl.capture-cipherlist-size\" is an old form, accepted here; write: tune.ssl.capture-buffer-size 3\n" +
			`2: warning: keyword "tune.ssl.capture-buffer-size" is known to HAProxy but not supported yet: the ClientHello is not kept`,
		"tune.recv_enough 3": `2: warning: keyword "tune.recv_enough" is known to HAProxy but not supported yet: bulk is told by full receives and passes through pipes of up to 1 MB, as many as it needs`,
		"tune.x_y 3":         `2: error: unknown keyword "tune.x_y"`,
	}
	for text, want := range tests {
		if got := found("global\n" + text + "\nfrontend f\n bind :1\n timeout client 1\n"); got != want {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestFindingsBetweenSections(t *testing.T) {
	const timeouts = " timeout client 1\n timeout connect 1\n timeout server 1\n"
	tests := []struct{ name, text, want string }{
		{"nothing", "", "error: nothing would listen: no enabled frontend or listen section has a \"bind\""},
		{"only backends", "backend b\n", " error: nothing would listen: no enabled frontend or listen section has a \"bind\""},
		{"only disabled", "listen b\n bind :1\n disabled\n", " error: nothing would listen: no enabled frontend or listen section has a \"bind\""},
		{"only a stats socket", "global\n stats socket /x\n", ""},
		{"unbuilt sections", "resolvers r\nlisten l\n bind :1\n" + timeouts + "userlist u\n user a password b\n",
			"1: warning: resolvers \"r\" has no nameserver: names keep the addresses they have at start\n7: error: section \"userlist\" is known to HAProxy but not supported yet"},
		{"no name", "listen\n bind :1\n" + timeouts, `1: error: "listen" expects a name`},
		{"bad name", "listen a/b\n bind :1\n" + timeouts, `1: error: character "/" is not permitted in listen name "a/b"`},
		{"words after global", "global x\nlisten l\n bind :1\n" + timeouts, `1: error: "global" cannot handle unexpected argument "x"`},
		{"words after a name", "listen l from\n bind :1\n" + timeouts, `1: error: unexpected argument "from" after listen "l"`},
		{"address of a backend", "backend b :80\nfrontend f\n bind :1\n timeout client 1\n", `1: error: unexpected argument ":80" after backend "b"`},
		{"words after from", "defaults d\n" + timeouts + "listen l from d :80\n bind :1\n", `5: error: unexpected argument ":80" after listen "l"`},
		{"words after defaults", "defaults a b\n" + timeouts + "listen l\n bind :1\n", `1: warning: unexpected argument "b" after defaults is ignored`},
		{"no such defaults", "defaults prod\nlisten l from prd\n bind :1\n" + timeouts, `2: error: defaults section "prd" not found for listen "l": did you mean "prod"?`},
		{"defaults twice", "defaults d\ndefaults d\nlisten l from d\n bind :1\n" + timeouts, `3: error: defaults section "d" named by listen "l" exists at t:1 and t:2`},
		{"names twice", "listen a\n bind :1\n" + timeouts + "listen a\n bind :2\n" + timeouts, `6: error: listen "a" has the same name as the listen at t:1`},
		{"listen and backend", "listen a\n bind :1\n" + timeouts + "backend a\n", `6: error: backend "a" has the same name as the listen at t:1`},
		{"frontend and backend", "frontend a\n bind :1\n timeout client 1\nbackend a\n", ""},
		{"ids twice", "listen a\n id 5\n bind :1\n" + timeouts + "backend b\n id 5\n", `7: error: backend "b" has the same id 5 as "a"`},
		{"no bind", "frontend f\nlisten l\n bind :1\n" + timeouts, `1: warning: frontend "f" has no "bind"; declare it as a backend if that was intended`},
		{"no timeouts", "listen l\n bind :1\n server s h:1\n", `1: warning: listen "l" has no timeout for: client, connect, server; a silent peer may hold a connection for ever`},
		{"modes differ", "frontend f\n mode http\n bind :1\n timeout client 1\n default_backend b\nbackend b\n mode tcp\n",
			`1: error: frontend "f" in mode http cannot use backend "b", which is in mode tcp (t:6)`},
		{"tcp to http", "frontend f\n bind :1\n timeout client 1\n default_backend b\nbackend b\n mode http\n",
			`4: error: tcp frontend with http backend "b" is known to HAProxy but not supported yet`},
		{"tcp to http from defaults", "defaults\n default_backend b\nfrontend f\n bind :1\n timeout client 1\nbackend b\n mode http\n",
			`3: error: tcp frontend with http backend "b" is known to HAProxy but not supported yet`},
		{"near backend", "frontend f\n bind :1\n timeout client 1\n default_backend srevers\nbackend servers\n",
			`4: error: frontend "f" has default_backend "srevers", which does not exist: did you mean "servers"?`},
		{"http in tcp mode", "listen l\n bind :1\n" + timeouts + " option httplog\n option forwardfor\n stats enable\n monitor-uri /x\n",
			"1: warning: \"stats\" is ignored in listen \"l\", it needs \"mode http\"\n" +
				"6: warning: \"option httplog\" is ignored in listen \"l\", it needs \"mode http\"; \"option tcplog\" is used\n" +
				"7: warning: \"option forwardfor\" is ignored in listen \"l\", it needs \"mode http\"\n" +
				"9: warning: \"monitor-uri\" is ignored in listen \"l\", it needs \"mode http\""},
		{"server side in a frontend", "frontend f\n bind :1\n timeout client 1\n balance roundrobin\n fullconn 3\n server s h:1\n default-server check\n",
			"4: warning: \"balance\" is ignored because frontend \"f\" has no backend capability\n" +
				"5: warning: \"fullconn\" is ignored because frontend \"f\" has no backend capability (maybe \"maxconn\" is meant)\n" +
				"6: error: \"server\" is not allowed because frontend \"f\" has no backend capability\n" +
				"7: error: \"default-server\" is not allowed because frontend \"f\" has no backend capability"},
		{"client side in a backend", "frontend f\n bind :1\n timeout client 1\nbackend b\n bind :2\n maxconn 3\n option httplog\n option tcplog\n",
			"5: warning: \"bind\" is ignored because backend \"b\" has no frontend capability\n" +
				"6: warning: \"maxconn\" is ignored because backend \"b\" has no frontend capability (maybe \"fullconn\" is meant)\n" +
				"7: warning: option httplog: ignored in backend \"b\"\n8: warning: option tcplog: ignored in backend \"b\""},
		{"not in defaults", "defaults\n bind :1\n server s h:1\n stats admin if TRUE\nlisten l\n bind :1\n" + timeouts,
			"2: error: \"bind\" is not allowed in a defaults section\n3: error: \"server\" is not allowed in a defaults section\n4: error: \"stats admin\" is not allowed in a defaults section"},
		{"check port in a tcp-check rule", "listen l\n bind :1\n" + timeouts + " option tcp-check\n tcp-check connect port 9\n server s h check\n", ""},
	}
	for _, tt := range tests {
		if got := found(tt.text); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestZeroOptionsKnowNothingOfTheSystem(t *testing.T) {
	_, diags := build("global\n user a\nlisten l\n bind h:1\n errorfile 503 /x\n", Options{})
	if len(diags) != 3 {
		t.Fatalf("got %v, want the user, the host and the file", diags)
	}
}
