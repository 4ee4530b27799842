package proxy

import (
	"fmt"
	"strings"
)

// A trial is what one client sends: a request that two readers may understand
// differently, and behind it, in the same segment, an honest one.
type trial struct {
	name string
	send string // without the honest request
}

// smuggled is what must never be taken for a request.
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

// trials spells every case: each has its number in a header, so that what
// reaches the server is told apart.
func trials() (list []trial) {
	add := func(name, send string) {
		list = append(list, trial{name: name, send: send})
	}
	lengthTrials(add)
	codingTrials(add)
	bothTrials(add)
	chunkTrials(add)
	lineTrials(add)
	startTrials(add)
	hostTrials(add)
	optionTrials(add)
	return list
}

// request spells one; X-Case is filled in by who sends it.
func spell(method, version string, body string, headers ...string) string {
	return method + " /t HTTP/" + version + "\r\nHost: a\r\nX-Case: @\r\n" + strings.Join(append(headers, ""), "\r\n") + "\r\n" + body
}

func quoted(s string) string { return strings.Trim(fmt.Sprintf("%q", s), `"`) }

func lengthTrials(add func(name, send string)) {
	values := []string{"5", "0", "05", "+5", "-5", "-0", "5 ", " 5", "\t5", "5\t", "", " ", "5,5", "5, 5", "5,6", "5,", ",5", ",", "5;5", "5 5", "0x5", "5.0", "5e0", "\"5\"", "5a", "a",
		"\v5", "5\v", "\f5", "5\x00", "5\x007", "\xa05", "\u0665", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551621", "184467440737095516160000005",
		strings.Repeat("0", 60) + "5", "5\r\n ", "5\r\n 6", "\r\n 5"}
	for _, v := range values {
		for _, version := range []string{"1.1", "1.0"} {
			add("length "+quoted(v)+" in "+version, spell("POST", version, "hello", "Content-Length:"+v))
		}
	}
	for _, v := range []string{"5", "", "+5", "5,5", "5,6"} {
		for _, method := range []string{"GET", "HEAD", "DELETE", "OPTIONS", "PUT", "FOO"} {
			add(method+" with length "+quoted(v), spell(method, "1.1", "hello", "Content-Length: "+v))
		}
	}
	pairs := [][2]string{{"5", "5"}, {"5", "05"}, {"5", "6"}, {"6", "5"}, {"5", ""}, {"", "5"}, {"5", "+5"}, {"0", "5"}, {"5", "0"}, {"5", "5,5"}, {"5", "5,6"}, {"5", "x"}, {"5", " 5"}}
	for _, p := range pairs {
		add("lengths "+p[0]+" and "+p[1], spell("POST", "1.1", "hello", "Content-Length: "+p[0], "Content-Length: "+p[1]))
		add("lengths "+p[0]+" and "+p[1]+" apart", spell("POST", "1.1", "hello", "Content-Length: "+p[0], "X: y", "content-length: "+p[1]))
		add("lengths "+p[0]+" and "+p[1]+" in 1.0", spell("POST", "1.0", "hello", "Content-Length: "+p[0], "Content-Length: "+p[1]))
	}
}

// end is an empty chunked body with a request behind its end.
const end = "0\r\n\r\n"

func codingTrials(add func(name, send string)) {
	values := []string{"chunked", "Chunked", "CHUNKED", " chunked ", "\tchunked", "chunked\t", "", " ", "identity", "gzip", "gzip, chunked", "chunked, gzip", "chunked,", ",chunked", "chunked, chunked",
		"chunked;q=1", "\"chunked\"", "'chunked'", "xchunked", "chunkedx", "chunked x", "x chunked", "\vchunked", "chunked\v", "\fchunked", "chunked\x00", "\x00chunked", "chun\x00ked", "\xa0chunked", "chunKed", "cow",
		"identity, chunked", "chunked, identity", "\r\n chunked", "chunked\r\n ", "x\r\n chunked", "trailers, chunked", "chunked\r\n , identity"}
	for _, v := range values {
		for _, version := range []string{"1.1", "1.0"} {
			add("coding "+quoted(v)+" in "+version, spell("POST", version, end, "Transfer-Encoding:"+v))
		}
		add("coding "+quoted(v)+" with a request inside", spell("POST", "1.1", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled), "Transfer-Encoding:"+v))
	}
	for _, p := range [][2]string{{"chunked", "chunked"}, {"chunked", ""}, {"", "chunked"}, {"chunked", "identity"}, {"identity", "chunked"}, {"gzip", "chunked"}, {"chunked", "gzip"}, {"chunked", "cow"}, {"cow", "chunked"}} {
		add("codings "+p[0]+" and "+p[1], spell("POST", "1.1", end, "Transfer-Encoding: "+p[0], "Transfer-Encoding: "+p[1]))
		add("codings "+p[0]+" and "+p[1]+" apart", spell("POST", "1.1", end, "Transfer-Encoding: "+p[0], "X: y", "transfer-encoding: "+p[1]))
	}
	for _, method := range []string{"GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "FOO"} {
		add(method+" in chunks", spell(method, "1.1", end, "Transfer-Encoding: chunked"))
	}
	for _, name := range []string{"Transfer-Encoding ", "Transfer-Encoding\t", " Transfer-Encoding", "Transfer_Encoding", "Transfer Encoding", "Transfer-Encoding\x00", "\x00Transfer-Encoding", "Transfer-Encoding\r",
		"Transfer\u2010Encoding", "Transfer-\xc5\xbfncoding", "X: y\rTransfer-Encoding", "X: y\nTransfer-Encoding", ":Transfer-Encoding", "Transfer-Encoding:", "Transfer-Encodin", "\vTransfer-Encoding"} {
		add("coding named "+quoted(name), spell("POST", "1.1", end, "Content-Length: 5", name+": chunked"))
		add("coding named "+quoted(name)+" alone", spell("POST", "1.1", end, name+": chunked"))
	}
	for _, name := range []string{"Content-Length ", "Content-Length\t", " Content-Length", "Content_Length", "Content Length", "Content-Length\x00", "Content-Length\r", "X: y\rContent-Length", "X: y\nContent-Length", ":Content-Length"} {
		add("length named "+quoted(name), spell("POST", "1.1", smuggled, fmt.Sprintf("%s: %d", name, len(smuggled))))
	}
}

func bothTrials(add func(name, send string)) {
	for _, version := range []string{"1.1", "1.0"} {
		for _, length := range []string{"5", "0", "4", "40", "", "x", "+5", "5,5", "5,6"} {
			for _, coding := range []string{"chunked", "Chunked", "identity", "", "gzip, chunked", "xchunked"} {
				add(fmt.Sprintf("length %q and coding %q in %s", length, coding, version), spell("POST", version, end, "Content-Length: "+length, "Transfer-Encoding: "+coding))
			}
			add(fmt.Sprintf("chunked, then length %q in %s", length, version), spell("POST", version, end, "Transfer-Encoding: chunked", "Content-Length: "+length))
		}
	}
	add("length and coding, a request in the length", spell("POST", "1.1", end+smuggled, fmt.Sprintf("Content-Length: %d", len(end+smuggled)), "Transfer-Encoding: chunked"))
	add("coding and length, a request in a chunk", spell("POST", "1.1", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled), "Transfer-Encoding: chunked", "Content-Length: 4"))
	add("a body without a length", spell("POST", "1.1", "", "Content-Type: text/plain"))
}

func chunkTrials(add func(name, send string)) {
	for _, body := range []string{
		"5\r\nhello\r\n0\r\n\r\n", "05\r\nhello\r\n00\r\n\r\n", "000000000000000000005\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n", "5\t\r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n",
		"0x5\r\nhello\r\n0\r\n\r\n", "5h\r\nhello\r\n0\r\n\r\n", "5_0\r\nhello\r\n0\r\n\r\n", "\r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "5\rhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello\r0\r\n\r\n", "5\r\nhello0\r\n\r\n",
		"5\r\nhellox\r\n0\r\n\r\n", "5\r\nhell\r\n0\r\n\r\n", "5\r\nhello\r\n0\n\r\n", "5\r\nhello\r\n0\r\n\n", "5\r\nhello\r\n0\n\n", "5\r\nhello\r\n0\r\r\n\r\n", "5\r\nhello\r\n0\r\n\r\r\n", "5;\r\nhello\r\n0\r\n\r\n", "5;a\r\nhello\r\n0\r\n\r\n",
		"5;a=b\r\nhello\r\n0\r\n\r\n", "5; a = b \r\nhello\r\n0\r\n\r\n", "5;a=\"b\"\r\nhello\r\n0\r\n\r\n", "5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n", "5;a\nhello\r\n0\r\n\r\n", "5;a\rb\r\nhello\r\n0\r\n\r\n", "5;a\x00b\r\nhello\r\n0\r\n\r\n", "5;\x01\r\nhello\r\n0\r\n\r\n",
		"5 ;a\r\nhello\r\n0\r\n\r\n", "5 5\r\nhello\r\n0\r\n\r\n", "5,5\r\nhello\r\n0\r\n\r\n", "FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n", "8000000000000000\r\nhello\r\n0\r\n\r\n", "10000000000000005\r\nhello\r\n0\r\n\r\n", "100000005\r\nhello\r\n0\r\n\r\n",
		"5;" + strings.Repeat("x", 2000) + "\r\nhello\r\n0\r\n\r\n", "5;" + strings.Repeat("x", 9000) + "\r\nhello\r\n0\r\n\r\n", "5\x00\r\nhello\r\n0\r\n\r\n", "\x005\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n\r\n", "5\r\nhello\r\n0;x\r\n\r\n", "5\r\nhello\r\n0 \r\n\r\n",
		"0;" + smuggled + "\r\n", "2\r\nab\r\n3;x\r\ncde\r\n0\r\n\r\n", "A\r\n0123456789\r\n0\r\n\r\n", "a\r\n0123456789\r\n0\r\n\r\n", "5\v\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n-0\r\n\r\n",
	} {
		add("chunks "+cutName(body), spell("POST", "1.1", body, "Transfer-Encoding: chunked"))
	}
	for _, trailer := range []string{"A: b", "A:b", "A:", "a: b\r\nc: d", "A : b", " A: b", "A", ": b", "A: b\nC: d", "A: b\rC: d", "A: b\r\n c", "A: \x00", "A: \x01", "A\x00: b", "Content-Length: 5", "content-length: 0", "Transfer-Encoding: chunked", "Transfer-Encoding: identity", "Host: b",
		"Connection: close", "Connection: keep-alive", "Trailer: x", "Expect: 100-continue", "Upgrade: x", "Authorization: x", "Cookie: a=b", "X-Forwarded-For: 1.2.3.4", "\xff: b", "A\xff: b", "A: \xff", "A(: b", "Content-Length : 5", " Content-Length: 5", "Content-Length\x00: 5",
		"TE: x", "Content-Type: text/html", "A: " + strings.Repeat("x", 3000)} {
		add("trailer "+cutName(trailer), spell("POST", "1.1", "5\r\nhello\r\n0\r\n"+trailer+"\r\n\r\n", "Transfer-Encoding: chunked"))
	}
}

func cutName(s string) string {
	if s = quoted(s); len(s) > 60 {
		return fmt.Sprintf("(%d) %s...", len(s), s[:60])
	}
	return s
}

func lineTrials(add func(name, send string)) {
	for _, l := range []string{"X : y", "X\t: y", " X: y", "\tX: y", "X", "X y", ": y", ":", "::", "X:: y", "X: y\n", "X: y\rZ: w", "X: y\r\r", "X: y\r", "X: \x00", "X\x00: y", "\x00: y", "\x00X: y", "X: y\x00", "X: y\x00Content-Length: 5", "X: \x01", "X: \x7f", "X: \x1f\x0b\x0c", "X\x01: y", "X\x7f: y",
		"X: \x80\xff", "X\x80: y", "X(: y", "X): y", "X<: y", "X>: y", "X@: y", "X,: y", "X;: y", "X\\: y", "X\": y", "X/: y", "X[: y", "X]: y", "X?: y", "X=: y", "X{: y", "X}: y", "X!#$%&'*+-.^_`|~: y", "X: y\r\n z", "X: y\r\n\tz", "X: y\r\n ", "X: y\r\n \r\n z",
		"X:\r\n y", "X: y\n z", "X\r\n : y", "X: y\n\n" + smuggled, "X: y\n\r\n" + smuggled, "X: y\r\n\n" + smuggled, "X: y\r\n\r" + smuggled, "X: \"a\r\n b\"", "X:y", "X:", "X:   ", "X: a:b", "#: y", "\xef\xbb\xbfX: y", "X: y\v\r\nZ: w", "X: y\u0085Z: w", "X: y\u2028Z: w",
		strings.Repeat("n", 300) + ": y", "X: " + strings.Repeat("v", 5000), strings.Repeat("n", 17000) + ": y", "X: " + strings.Repeat("v", 17000), strings.Repeat("A: b\r\n", 90) + "A: b", strings.Repeat("A: b\r\n", 120) + "A: b",
		"Content-Length0" + strings.Repeat("a", 255) + ":\r\nContent-Length: 5", "Content-Length0" + strings.Repeat("a", 256-15) + ": 5"} {
		add("line "+cutName(l), spell("GET", "1.1", "", l))
		if len(l) < 60 {
			add("line "+cutName(l)+" first", "GET /t HTTP/1.1\r\n"+l+"\r\nHost: a\r\nX-Case: @\r\n\r\n")
		}
	}
}

func startTrials(add func(name, send string)) {
	for _, l := range []string{"GET  /t HTTP/1.1", "GET /t  HTTP/1.1", "GET\t/t HTTP/1.1", "GET /t\tHTTP/1.1", " GET /t HTTP/1.1", "GET /t HTTP/1.1 ", "GET /t HTTP/1.1\t", "GET /t HTTP/1.1 x", "GET /t", "GET", "GET ", "GET /t HTTP/1.2", "GET /t HTTP/1.9", "GET /t HTTP/2.0", "GET /t HTTP/0.9", "GET /t HTTP/3.0", "GET /t HTTP/1.10",
		"GET /t HTTP/01.1", "GET /t HTTP/1", "GET /t HTTP/1.", "GET /t HTTP/.1", "GET /t http/1.1", "GET /t HTTP/1,1", "GET /t HTTPS/1.1", "GET /t HTTP /1.1", "GET /t HTTP/ 1.1", "GET /t ICAP/1.0", "GET /t RTSP/1.0", "get /t HTTP/1.1", "G(T /t HTTP/1.1", "GE\x00T /t HTTP/1.1", "G\xffT /t HTTP/1.1", "GET: /t HTTP/1.1", "\"GET\" /t HTTP/1.1",
		strings.Repeat("M", 300) + " /t HTTP/1.1", "GET /t#x HTTP/1.1", "GET /#/../t HTTP/1.1", "GET /t\x00 HTTP/1.1", "GET /t\x01 HTTP/1.1", "GET /t\x7f HTTP/1.1", "GET /\xff HTTP/1.1", "GET /t%00 HTTP/1.1", "GET /t\rx HTTP/1.1", "GET /t\r HTTP/1.1", "GET t HTTP/1.1", "GET ?t HTTP/1.1", "GET * HTTP/1.1", "OPTIONS * HTTP/1.1",
		"GET http://a/t HTTP/1.1", "GET HTTP://A/t HTTP/1.1", "GET http://b/t HTTP/1.1", "GET http://a:80/t HTTP/1.1", "GET http://a:81/t HTTP/1.1", "GET https://a/t HTTP/1.1", "GET http:///t HTTP/1.1", "GET http:/t HTTP/1.1", "GET http://u@a/t HTTP/1.1", "GET http://a HTTP/1.1", "GET http://a?t HTTP/1.1", "GET //a/t HTTP/1.1", "GET ftp://a/t HTTP/1.1",
		"GET /t{}|\\^`\"<> HTTP/1.1", "GET /../../t HTTP/1.1", "GET /t HTTP/1.1\r", "GET /t HTTP/1.1\n", "PRI * HTTP/2.0", "GET /" + strings.Repeat("t", 9000) + " HTTP/1.1", "GET /" + strings.Repeat("t", 17000) + " HTTP/1.1", "CONNECT a:80 HTTP/1.1", "CONNECT /t HTTP/1.1", "CONNECT a HTTP/1.1", "GET a:80 HTTP/1.1", "TRACE /t HTTP/1.1", "HEAD /t HTTP/1.1", "HEAD /t HTTP/1.0"} {
		add("start "+cutName(l), l+"\r\nHost: a\r\nX-Case: @\r\n\r\n")
	}
	for _, lead := range []string{"\r\n", "\n", "\r\n\r\n", "\r", "\r\r\n", " \r\n", "\x00", "x\r\n", "\n\n\n\n"} {
		add("behind "+quoted(lead), lead+"GET /t HTTP/1.1\r\nHost: a\r\nX-Case: @\r\n\r\n")
	}
	add("lone LF everywhere", "GET /t HTTP/1.1\nHost: a\nX-Case: @\n\n")
	add("lone LF everywhere with a body", "POST /t HTTP/1.1\nHost: a\nX-Case: @\nContent-Length: 5\n\nhello")
	add("lone LF at the end", "GET /t HTTP/1.1\r\nHost: a\r\nX-Case: @\r\n\n")
	add("HTTP/0.9", "GET /t\r\n")
}

func hostTrials(add func(name, send string)) {
	for _, h := range []string{"", "Host:", "Host: ", "Host: a", "Host: A", "Host: a:80", "Host: a:", "Host: a:x", "Host: a b", "Host: a/b", "Host: a?b", "Host: a#b", "Host: u@a", "Host: a,b", "Host: a\x00b", "Host: \xff", "Host: [::1]", "Host: [::1", "Host: a\r\nHost: a", "Host: a\r\nHost: b", "Host: a\r\nhost: A",
		"Host: a\r\n b", "Host : a", "Host: a\r\nHost:", "Host: a\r\nX: y\r\nHost: c", "Host: a\\b", "Host: <a>", "Host: %61"} {
		for _, version := range []string{"1.1", "1.0"} {
			lines := "GET /t HTTP/" + version + "\r\nX-Case: @\r\n"
			if h != "" {
				lines += h + "\r\n"
			}
			add("host "+quoted(h)+" in "+version, lines+"\r\n")
		}
	}
}

func optionTrials(add func(name, send string)) {
	for _, c := range []string{"close", "keep-alive", "close, keep-alive", "Close", "Content-Length", "Transfer-Encoding", "Host", "X-Case2, close", "X-Forwarded-For", "upgrade", "te", "", ",", ",,close", "\"close\"", "close;q=1", "close\r\n x", "\x00", "keep-alive\r\nConnection: close", "close close", "clos", "Cookie", "Authorization"} {
		add("connection "+quoted(c), spell("POST", "1.1", "hello", "Content-Length: 5", "Connection: "+c))
		add("connection "+quoted(c)+" in 1.0", spell("POST", "1.0", "hello", "Content-Length: 5", "Connection: "+c))
		add("connection "+quoted(c)+" and chunks", spell("POST", "1.1", end, "Transfer-Encoding: chunked", "Connection: "+c))
	}
	for _, u := range []string{"websocket", "h2c", "h2c, websocket", "HTTP/2.0", "", "\x00", "TLS/1.0"} {
		add("upgrade "+quoted(u), spell("GET", "1.1", "", "Connection: upgrade", "Upgrade: "+u))
		add("upgrade "+quoted(u)+" with a body", spell("POST", "1.1", "hello", "Connection: upgrade", "Upgrade: "+u, "Content-Length: 5"))
		add("upgrade "+quoted(u)+" in chunks", spell("POST", "1.1", end, "Connection: upgrade", "Upgrade: "+u, "Transfer-Encoding: chunked"))
	}
	for _, e := range []string{"100-continue", "100-Continue", "100-continue, x", "x", "", "200-ok", "100-continue\r\nExpect: 100-continue"} {
		add("expect "+quoted(e), spell("POST", "1.1", "hello", "Content-Length: 5", "Expect: "+e))
		add("expect "+quoted(e)+" without a body", spell("GET", "1.1", "", "Expect: "+e))
	}
	for _, te := range []string{"trailers", "chunked", "gzip, trailers", "", "\x00"} {
		add("te "+quoted(te), spell("GET", "1.1", "", "TE: "+te))
	}
}

// normalised is why what the server gets differs from HAProxy's.
const normalised = "HAProxy writes the target anew"

// purposes are the reasons why requests that HAProxy serves are not served, or
// otherwise, with the trials they concern by the beginning of their names.
var purposes = []struct {
	why    string
	trials []string
}{
	{"no control bytes in a chunk extension", []string{`chunks 5;\x01`}},
	{"no chunk extension longer than 4 KB", []string{"chunks (9024) 5;"}},
	{"trailers have the grammar of headers (RFC 9112 section 7.1.2)", []string{`trailer A: b\nC: d`, `trailer A: b\r\n c`}},
	{"what routes, authorises or describes a message stands in its head (RFC 9110 section 6.5.1)",
		[]string{"trailer Connection", "trailer Trailer", "trailer Expect", "trailer Upgrade", "trailer Authorization", "trailer Cookie", "trailer TE", "trailer Content-Type"}},
	{"a request line has blanks (RFC 9112 section 3)", []string{`start GET\t/t`, `start GET /t\tHTTP`}},
	{"HTTP/0.9 has no headers", []string{"start GET /t HTTP/0.9"}},
	{"an authority is a host and a port (RFC 9110 section 4.2)", []string{"start GET http:///t", "start GET http://u@a"}},
	{"a host is a name and a port (RFC 9112 section 3.2)", []string{"host Host: a b", "host Host: a/b", "host Host: a?b", "host Host: a#b", "host Host: u@a", `host Host: \xff`, `host Host: a\r\n b`, `host Host: a\\b`, "host Host: <a>"}},
	{"no NUL anywhere in a head, nor in headers that do not pass", []string{`upgrade \x00 with`, `upgrade \x00 in`, `te \x00`}},
	{normalised, []string{"start GET http://a:80/t"}},
}

// onPurpose says why herald differs from HAProxy in a trial.
func onPurpose(name string) string {
	for _, p := range purposes {
		for _, prefix := range p.trials {
			if strings.HasPrefix(name, prefix) {
				return p.why
			}
		}
	}
	return ""
}
