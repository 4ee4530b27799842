package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A said is what one server answers to a request: a response that two readers
// may understand differently.
type said struct {
	name   string
	method string // of the request
	text   string
	closes bool // the server ends the connection behind it
}

// planted is what must never be taken for a response.
const planted = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nplanted"

// answer spells a response.
func spellResponse(status, body string, headers ...string) string {
	return status + "\r\n" + strings.Join(append(headers, ""), "\r\n") + "\r\n" + body
}

func responseTrials() (list []said) {
	add := func(name, text string) { list = append(list, said{name: name, method: "GET", text: text}) }
	const ok = "HTTP/1.1 200 OK"
	for _, v := range []string{"5", "05", "+5", "-5", "", " ", "5,5", "5, 6", "5,", "0x5", "5 5", "5\x00", "a", "\v5", "9223372036854775808", "18446744073709551621", "5\r\n ", "\r\n 5", "5;"} {
		add("length "+quoted(v), spellResponse(ok, "hello", "Content-Length:"+v))
		add("length "+quoted(v)+" from 1.0", spellResponse("HTTP/1.0 200 OK", "hello", "Connection: keep-alive", "Content-Length:"+v))
	}
	for _, p := range [][2]string{{"5", "5"}, {"5", "6"}, {"5", ""}, {"5", "+5"}, {"5", "05"}, {"0", "5"}} {
		add("lengths "+p[0]+" and "+p[1], spellResponse(ok, "hello", "Content-Length: "+p[0], "Content-Length: "+p[1]))
	}
	const chunks = "5\r\nhello\r\n0\r\n\r\n"
	for _, v := range []string{"chunked", "Chunked", "", "identity", "gzip, chunked", "chunked, gzip", "chunked,", ",chunked", "chunked, chunked", "xchunked", "chunked;q=1", "\"chunked\"", "\vchunked", "chunked\x00", "\r\n chunked", "cow"} {
		add("coding "+quoted(v), spellResponse(ok, chunks, "Transfer-Encoding:"+v))
		add("coding "+quoted(v)+" from 1.0", spellResponse("HTTP/1.0 200 OK", chunks, "Connection: keep-alive", "Transfer-Encoding:"+v))
		add("coding "+quoted(v)+" and a length", spellResponse(ok, chunks, "Content-Length: 15", "Transfer-Encoding:"+v))
	}
	for _, p := range [][2]string{{"chunked", "chunked"}, {"chunked", ""}, {"", "chunked"}, {"gzip", "chunked"}, {"chunked", "identity"}} {
		add("codings "+p[0]+" and "+p[1], spellResponse(ok, chunks, "Transfer-Encoding: "+p[0], "Transfer-Encoding: "+p[1]))
	}
	for _, body := range []string{"5\nhello\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "5\r\nhellox\r\n0\r\n\r\n", "5;x\r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "g\r\nhello\r\n0\r\n\r\n", "\r\nhello\r\n0\r\n\r\n",
		"FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n", "10000000000000005\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\nA: b\r\n\r\n", "5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n", "5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n", "5\r\nhello\r\n0\r\nA\x00: b\r\n\r\n", "5\r\nhello\r\n0\r\nA\r\n\r\n"} {
		add("chunks "+cutName(body), spellResponse(ok, body, "Transfer-Encoding: chunked"))
	}
	for _, l := range []string{"X : y", " X: y", "X", ": y", "X: y\rZ: w", "X: \x00", "X\x00: y", "X: \x01", "X(: y", "X\x80: y", "X: \xff", "X: y\r\n z", "X:\r\n y", "X: y\n", "X: y\r\r", strings.Repeat("n", 300) + ": y", strings.Repeat("A: b\r\n", 120) + "A: b", "X: " + strings.Repeat("v", 17000),
		"Content-Length : 9", "Content-Length0" + strings.Repeat("a", 255) + ": 9", "Content-Length\x00: 9", "Transfer-Encoding : chunked", " Transfer-Encoding: chunked"} {
		add("line "+cutName(l), spellResponse(ok, "hello", "Content-Length: 5", l))
		if len(l) < 60 {
			add("line "+cutName(l)+" first", spellResponse(ok, "hello", l, "Content-Length: 5"))
		}
	}
	for _, s := range []string{"HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1  200 OK", "HTTP/1.1\t200 OK", "HTTP/1.1 200\tOK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 abc OK", "HTTP/1.1 099 OK", "HTTP/1.1 999 OK", "HTTP/1.1 600 OK", "HTTP/1.1 -20 OK", "HTTP/1.1 200OK", "HTTP/1.1 200 O\x00K", "HTTP/1.1 200 O\rK",
		"HTTP/1.1 200 \xff", "HTTP/1.2 200 OK", "HTTP/2.0 200 OK", "HTTP/0.9 200 OK", "HTTP/11 200 OK", "http/1.1 200 OK", "HTTP/1.1 200 OK\r", " HTTP/1.1 200 OK", "ICAP/1.0 200 OK", "RTSP/1.0 200 OK", "hello", "\r\nHTTP/1.1 200 OK", "\nHTTP/1.1 200 OK", "HTTP /1.1 200 OK", "HTTP/1.1 +20 OK", "HTTP/1.1 0x1 OK"} {
		add("start "+quoted(s), spellResponse(s, "hello", "Content-Length: 5"))
	}
	for _, status := range []string{"204 No Content", "304 Not Modified", "205 Reset Content"} {
		for _, h := range []string{"", "Content-Length: 0", "Content-Length: 5", "Transfer-Encoding: chunked"} {
			add(status+" with "+h, spellResponse("HTTP/1.1 "+status, "", h))
			add(status+" with "+h+" and a response behind", spellResponse("HTTP/1.1 "+status, planted, h))
		}
	}
	for _, h := range []string{"", "Content-Length: 0", "Content-Length: 5", "Transfer-Encoding: chunked"} {
		for _, body := range []string{"", planted} {
			list = append(list, said{name: "to HEAD with " + h + " and " + cutName(body), method: "HEAD", text: spellResponse(ok, body, h)})
		}
		add("100 with "+h, spellResponse("HTTP/1.1 100 Continue", five, h))
		add("101 with "+h, spellResponse("HTTP/1.1 101 Switching Protocols", planted, "Connection: upgrade", "Upgrade: x", h))
	}
	add("a response behind", five+planted)
	add("two responses behind", five+planted+planted)
	add("bytes behind", five+"xxxx")
	add("an empty line behind", five+"\r\n")
	add("103, then the response", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"+five)
	add("many 100s", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 50)+five)
	add("a 100 with a body", "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello"+five)
	for _, text := range []string{"", "HTTP", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", "HTTP/1.1 200 OK\r\n\r\nhello", "HTTP/1.0 200 OK\r\n\r\nhello" + planted} {
		list = append(list, said{name: "cut behind " + cutName(text), method: "GET", text: text, closes: true})
	}
	return list
}

// speaker is an origin that answers /N with the Nth of its texts, and anything
// else with its target.
func speaker(t *testing.T, list []said) string {
	return script(t, func(c net.Conn) {
		for in := bufio.NewReader(c); ; {
			q, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			var n int
			if _, err := fmt.Sscanf(q.URL.Path, "/%d", &n); err != nil {
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(q.URL.Path), q.URL.Path)
				continue
			}
			io.WriteString(c, list[n].text)
			if list[n].closes {
				return
			}
		}
	})
}

// hearResponses sends every request, and an honest one behind it, and tells
// what the client got.
func hearResponses(t *testing.T, addr string, list []said) []verdict {
	t.Helper()
	out := make([]verdict, len(list))
	var wg sync.WaitGroup
	places := make(chan struct{}, 100)
	for i, tr := range list {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			answer := say(t, addr, fmt.Sprintf("%s /%d HTTP/1.1\r\nHost: a\r\n\r\n%s", tr.method, i, strings.ReplaceAll(honest, "X-Case: @\r\n", "")))
			out[i] = judgeResponses(tr.method, answer)
		})
	}
	wg.Wait()
	return out
}

// judgeResponses reads what the client got for two requests: the second
// answer must be the honest one's, if there is one, and both readings of
// framing must agree.
func judgeResponses(method string, answer []byte) (v verdict) {
	var statuses, bodies []string
	in := bufio.NewReader(bytes.NewReader(answer))
	for i := 0; ; {
		m := "GET"
		if i == 0 {
			m = method
		}
		resp, err := http.ReadResponse(in, &http.Request{Method: m})
		if err != nil {
			if len(answer) > 0 && !bytes.HasPrefix(answer, []byte("HTTP/1.")) {
				v.unsafe = "not a response"
			}
			break
		}
		body, err := io.ReadAll(resp.Body)
		sum := fmt.Sprintf("%d +%d", resp.StatusCode, len(body))
		if err != nil {
			sum += " cut"
		}
		bodies = append(bodies, sum)
		if resp.StatusCode/100 == 1 && resp.StatusCode != 101 {
			continue
		}
		statuses = append(statuses, fmt.Sprint(resp.StatusCode))
		switch {
		case len(resp.Header["Content-Length"]) > 0 && len(resp.TransferEncoding) > 0 || len(resp.Header["Transfer-Encoding"]) > 0:
			v.unsafe = "two framings"
		case i == 1 && resp.StatusCode == 200 && string(body) != "/next" || i > 1:
			v.unsafe = "desynchronised"
		}
		i++
	}
	head, _, _ := bytes.Cut(answer, []byte("\r\n\r\n"))
	if bytes.IndexByte(head, 0) >= 0 {
		v.unsafe = "NUL"
	}
	v.client, v.server = strings.Join(statuses, " "), strings.Join(bodies, " | ")
	return v
}

// refusedOnPurpose are the responses that HAProxy passes and herald does not,
// by the beginning of their names.
var refusedOnPurpose = []string{
	// A coding in HTTP/1.0 is a faulty framing (RFC 9112 section 6.1); HAProxy
	// takes the chunks for the data.
	"coding chunked from 1.0", "coding Chunked from 1.0", "coding  from 1.0", "coding chunked, from 1.0", `coding \r\n chunked from 1.0`,
	// Chunks pass as they come, so their lines end with CRLF and nothing in
	// their trailers frames.
	`chunks 5\nhello`, `chunks 5\r\nhello\r\n0\r\nContent-Length`, `chunks 5\r\nhello\r\n0\r\nTransfer-Encoding`,
	// A status line has blanks, and a status of three digits from 100.
	`start HTTP/1.1\t200`, `start HTTP/1.1 200\tOK`, "start HTTP/1.1 099", "start HTTP/0.9",
}

const responseVerdicts = "testdata/ambiguous-responses.txt"

func TestNoAmbiguousResponsePassesAndAllThatHAProxyServesCleanlyIsServed(t *testing.T) {
	list := responseTrials()
	if len(list) < 150 {
		t.Fatalf("%d trials, want 150", len(list))
	}
	addr := speaker(t, list)
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].name
	}
	want := recorded(t, responseVerdicts, names, func() []verdict { return hearResponses(t, haproxy(t, addr), list) })
	r := serve(t, 1, strict(addr))
	var unsafe, theirs, served int
	for i, got := range hearResponses(t, r.addr, list) {
		text, known := want[list[i].name]
		if !known {
			t.Errorf("%s: HAProxy's verdict is not recorded; run with -update", list[i].name)
		}
		h := parseVerdict(text)
		if got.unsafe != "" {
			unsafe++
			t.Errorf("%s: passed on unsafely: got %s, HAProxy %s", list[i].name, got, text)
		}
		switch {
		case h.unsafe != "":
			theirs++
		case h.client != "" && h.client != varies && h.client[0] != '5' && got != h && !slices.ContainsFunc(refusedOnPurpose, func(s string) bool { return strings.HasPrefix(list[i].name, s) }):
			t.Errorf("%s: got %s, HAProxy %s", list[i].name, got, text)
		}
		if got.client != "" && got.client[0] != '5' {
			served++
		}
	}
	t.Logf("%d responses: %d served, %d passed on unsafely, HAProxy %d", len(list), served, unsafe, theirs)
}

func TestTheRecordedVerdictsOfResponsesAreHAProxys(t *testing.T) {
	out, err := exec.Command("haproxy", "-v").Output()
	if err != nil || !bytes.Contains(out, []byte("version 2.6.")) {
		t.Skip("haproxy 2.6 is not installed")
	}
	list := responseTrials()
	want := recorded(t, responseVerdicts, nil, nil)
	for i, v := range hearResponses(t, haproxy(t, speaker(t, list)), list) {
		if w := parseVerdict(want[list[i].name]); w.client != varies && v.kind() != w.kind() {
			t.Errorf("%s: got %s, recorded %s", list[i].name, v, w)
		}
	}
}
