package expr

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"herald/config"
	"herald/proxy/h1"
	"herald/proxy/lb"
)

// requestRows are fetches that look into a request (Configuration manual
// 7.3.6).
var requestRows = slices.Concat([]config.Row[Kind]{
	row("base", "The Host header and the path behind it.", "base -m beg www.example.com/img/", inHead(base)),
	row("base32", "A hash of base.", "base32 -m found", hashed(base, false)),
	row("base32+src", "A hash of base, and the client's address behind it.", "base32+src -m found", hashed(base, true)),
	row("baseq", "The Host header and the path with the query behind it.", "baseq -m beg www.example.com/find?q=", inHead(baseWithQuery)),
	row("capture.req.hdr", "The nth header that \"capture request header\" took down, from 0.", "capture.req.hdr(0) www.example.com", slot(Request, func(in *Input) [][]byte { return in.Captured })),
	row("capture.req.method", "The method of the request, also while its response is looked at.", "capture.req.method GET", captured(0)),
	row("capture.req.uri", "The target of the request, also while its response is looked at.", "capture.req.uri -m beg /api/", captured(1)),
	row("capture.req.ver", "The version of the request, also while its response is looked at.", "capture.req.ver HTTP/1.1", captured(2)),
	row("cookie", "The cookie of a request, or of a response where one is looked at.", "cookie(lang) de", either(requestCookie, answerCookie)),
	row("hdr", "A header of the request, or of the response where one is looked at; each element of a list counts as one.", "hdr(host) -i www.example.com", either(requestHeader, answerSide.elements(false))),
	row("http_first_req", "Whether the request is the first of its connection.", "http_first_req", headed(boolNumber(FirstRequest, ""))),
	row("method", "The method of the request.", "method GET HEAD", inHead(func(in *Input) []byte { return in.Head.MethodAt.In(in.Buf) })),
	row("path", "The path of the request, without the query.", "path -m beg /api/", inHead(pathOf)),
	row("pathq", "The path of the request with the query.", "pathq -m beg /find?q=", inHead(pathWithQuery)),
	row("query", "What follows the question mark.", "query -m found", inHead(queryOf)),
	row("req.body", "What of the body has come; all of it with option http-buffer-request.", "req.body -m sub token", bodyBin((*Input).body)),
	row("req.body_len", "How many bytes of the body have come.", "req.body_len gt 1000", headed(Kind{Type: Int, Make: plain(func(in *Input, v *Value) Outcome {
		b, ok := in.body()
		if !ok {
			return Missing
		}
		return v.whole(int64(len(b)))
	})})),
	row("req.body_param", "A parameter of a form in the body.", "req.body_param(user) -m str joe", parameters(Bin, (*Input).body, "?s")),
	row("req.body_size", "The size of the body as announced, or as come so far.", "req.body_size gt 1000", headed(Kind{Type: Int, Make: plain(bodySize)})),
	row("req.ver", "The version of the request, as 1.1.", "req.ver 1.1", inHead(versionOf)),
	row("req_ver", "The old name of req.ver.", "req_ver 1.1", inHead(versionOf)),
	row("url", "The target of the request as it came.", "url -m end .png", inHead(func(in *Input) []byte { return in.Head.Target.In(in.Buf) })),
	row("url32", "A hash of baseq.", "url32 -m found", hashed(baseWithQuery, false)),
	row("url32+src", "A hash of baseq, and the client's address behind it.", "url32+src -m found", hashed(baseWithQuery, true)),
	row("url_ip", "The address in a target that has a scheme.", "url_ip 10.0.0.0/8", headed(Kind{Type: Addr, Make: plain(targetAddress)})),
	row("url_param", "A parameter of the query string; each of the name counts as one.", "url_param(id) 7", targetParameter),
	row("url_port", "The port in a target that has a scheme.", "url_port 8080", headed(Kind{Type: Int, Make: plain(targetPort)})),
	row("urlp", "The same as url_param.", "urlp(id) 7", targetParameter),
	row("urlp_val", "The number in a parameter.", "urlp_val(id) gt 7", numberOf(targetParameter)),
}, headerRows("req.", "request", requestSide), headerRows("", "request", requestSide)[1:], lineRows("req.", "request", requestSide),
	cookieRows("", "request", requestCookie), cookieRows("req.", "request", requestCookie))

// answerRows are fetches that look into a response.
var answerRows = slices.Concat([]config.Row[Kind]{
	row("capture.res.hdr", "The nth header that \"capture response header\" took down, from 0.", "capture.res.hdr(0) -m found", slot(Answer, func(in *Input) [][]byte { return in.CapturedReply })),
	row("res.ver", "The version of the response, as 1.1.", "res.ver 1.1", answerVersion),
	row("resp_ver", "The old name of res.ver.", "resp_ver 1.1", answerVersion),
	row("status", "The status of the response.", "status 500:599", Kind{Type: Int, Needs: Answer, Make: plain(func(in *Input, v *Value) Outcome {
		if in.Reply == nil {
			return Missing
		}
		return v.whole(int64(in.Reply.Status))
	})}),
}, headerRows("res.", "response", answerSide), headerRows("s", "response", answerSide), lineRows("res.", "response", answerSide),
	cookieRows("res.", "response", answerCookie), cookieRows("s", "response", answerCookie))

// lineRows are the fetches of whole lines of headers.
func lineRows(prefix, of string, s side) []config.Row[Kind] {
	return []config.Row[Kind]{
		row(prefix+"fhdr", "A header of the "+of+": its last line, or the nth, with its commas.", prefix+"fhdr(via) -m sub proxy", s.lines()),
		row(prefix+"fhdr_cnt", "How many lines a header of the "+of+" has.", prefix+"fhdr_cnt(via) gt 1", s.lineCount()),
		row(prefix+"hdr_names", "The names of the headers of the "+of+", with commas between.", prefix+"hdr_names -m sub via", s.names()),
		row(prefix+"hdrs", "All headers of the "+of+" as text.", prefix+"hdrs -m found", s.all()),
		row(prefix+"hdrs_bin", "All headers of the "+of+", each part behind its length.", prefix+"hdrs_bin -m found", s.packed()),
	}
}

// cookieRows are the fetches of cookies.
func cookieRows(prefix, of string, k Kind) []config.Row[Kind] {
	cook := prefix + "cook"
	return []config.Row[Kind]{
		row(cook, "A cookie of the "+of+"; each of the name counts as one.", cook+"(lang) de", k),
		row(cook+"_cnt", "How many cookies of the name the "+of+" has.", cook+"_cnt(sid) gt 1", countOf(k)),
		row(cook+"_val", "The number in a cookie of the "+of+".", cook+"_val(n) gt 1", numberOf(k)),
	}
}

// headerRows are the fetches of single elements of headers. The first row is
// the plain one.
func headerRows(prefix, of string, s side) []config.Row[Kind] {
	h := prefix + "hdr"
	return []config.Row[Kind]{
		row(h, "A header of the "+of+": its last element, or the nth; each element of a list counts as one.", h+"(x-forwarded-proto) https", s.elements(false)),
		row(h+"_cnt", "How many elements a header of the "+of+" has, of all its lines.", h+"_cnt(x-forwarded-for) gt 3", countOf(s.elements(true))),
		row(h+"_ip", "The addresses in a header of the "+of+".", h+"_ip(x-forwarded-for) 10.0.0.0/8", s.addresses()),
		row(h+"_val", "The numbers in a header of the "+of+".", h+"_val(content-length) gt 1000000", numberOf(s.elements(false))),
	}
}

var (
	requestHeader = requestSide.elements(false)
	requestCookie = cookies(requestSide, "cookie")
	answerCookie  = cookies(answerSide, "set-cookie")

	targetParameter = parameters(Str, nil, "?ss")

	answerVersion = Kind{Type: Str, Needs: Answer, Make: plain(func(in *Input, v *Value) Outcome {
		if in.Reply == nil {
			return Missing
		}
		if in.Reply.Version == h1.HTTP10 {
			return v.bytes(Str, []byte("1.0"))
		}
		return v.bytes(Str, []byte("1.1"))
	})}
)

// side is a head: the request's or the response's.
type side struct{ needs Place }

var (
	requestSide = side{Head}
	answerSide  = side{Answer}
)

func (s side) head(in *Input) (*h1.Head, []byte) {
	if s.needs == Answer {
		return in.Reply, in.ReplyBuf
	}
	return in.Head, in.Buf
}

// either is a fetch of the response where there is one, else of the request.
func either(request, response Kind) Kind {
	k := request
	k.Or = response.Needs
	k.Make = func(a *Arguments) (Get, error) {
		of, err := request.Make(a)
		if err != nil {
			return nil, err
		}
		behind, err := response.Make(a)
		return func(in *Input, v *Value) Outcome {
			if in.Reply != nil || in.Sent != nil {
				return behind(in, v)
			}
			return of(in, v)
		}, err
	}
	return k
}

func headed(k Kind) Kind {
	k.Needs |= Head
	return k
}

// inHead is a fetch of a text in the head of a request; nil is none.
func inHead(part func(in *Input) []byte) Kind {
	return headed(Kind{Type: Str, Make: plain(func(in *Input, v *Value) Outcome {
		if in.Head == nil {
			return Missing
		}
		b := part(in)
		if b == nil {
			return Missing
		}
		return v.bytes(Str, b)
	})})
}

func bodyBin(get func(in *Input) ([]byte, bool)) Kind {
	return headed(Kind{Type: Bin, Make: plain(func(in *Input, v *Value) Outcome {
		b, ok := get(in)
		if !ok {
			return Missing
		}
		return v.bytes(Bin, b)
	})})
}

func bodySize(in *Input, v *Value) Outcome {
	b, ok := in.body()
	if !ok {
		return Missing
	}
	return v.whole(max(in.Head.Length, int64(len(b))))
}

// body is what has come of the body, without the lines of chunks.
func (in *Input) body() ([]byte, bool) {
	switch {
	case in.Head == nil:
		return nil, false
	case in.Head.Framing == h1.Length:
		return in.Body[:min(int64(len(in.Body)), in.Head.Length)], true
	case in.Head.Framing != h1.Chunked:
		return nil, true
	}
	if in.content == nil {
		in.content = in.keep(appendChunks(in.room(), in.Body))
	}
	return in.content, true
}

// appendChunks takes the data out of chunks (RFC 9112 section 7.1), which have
// been judged.
func appendChunks(to, b []byte) []byte {
	for {
		line, rest, ok := bytes.Cut(b, []byte("\n"))
		size, digits := 0, 0
		for _, c := range line {
			d := hexDigit(c)
			if d < 0 {
				break
			}
			if size, digits = size<<4|d, digits+1; digits > 7 {
				return to
			}
		}
		if !ok || digits == 0 || size == 0 {
			return to
		}
		if size >= len(rest) {
			return append(to, rest...)
		}
		to, b = append(to, rest[:size]...), rest[size:]
		b = bytes.TrimPrefix(bytes.TrimPrefix(b, []byte("\r")), []byte("\n"))
	}
}

// afterAuthority is what follows scheme and authority of a target.
func afterAuthority(target []byte) []byte {
	if len(target) > 0 && target[0] != '/' {
		if i := bytes.Index(target, []byte("://")); i >= 0 {
			target = target[i+3:]
			j := bytes.IndexByte(target, '/')
			if j < 0 {
				return nil
			}
			return target[j:]
		}
	}
	return target
}

func pathOf(in *Input) []byte {
	target := pathWithQuery(in)
	if i := bytes.IndexByte(target, '?'); i >= 0 {
		target = target[:i]
	}
	return target
}

func pathWithQuery(in *Input) []byte {
	target := afterAuthority(in.Head.Target.In(in.Buf))
	if len(target) == 0 || target[0] != '/' {
		return nil
	}
	return target
}

func queryOf(in *Input) []byte {
	_, query, _ := bytes.Cut(in.Head.Target.In(in.Buf), []byte("?"))
	return query // nil without a question mark
}

func versionOf(in *Input) []byte {
	if in.HTTP2 {
		return []byte("2.0")
	}
	if in.Head.Version == h1.HTTP10 {
		return []byte("1.0")
	}
	return []byte("1.1")
}

// behindHost joins the Host header and something behind it; with neither
// there is nothing.
func (in *Input) behindHost(rest []byte) []byte {
	b := in.room()
	if i := in.Head.FindKind(h1.Host); i >= 0 {
		b = append(b, in.Head.Headers[i].Value.In(in.Buf)...)
	}
	if b = append(b, rest...); len(b) == 0 {
		return nil
	}
	return in.keep(b)
}

func base(in *Input) []byte          { return in.behindHost(pathOf(in)) }
func baseWithQuery(in *Input) []byte { return in.behindHost(pathWithQuery(in)) }

// hashed is a hash of a text, and if it shall the client's address behind it.
func hashed(of func(in *Input) []byte, address bool) Kind {
	k := headed(Kind{Type: Int, Make: plain(func(in *Input, v *Value) Outcome {
		if in.Head == nil {
			return Missing
		}
		n := lb.Hash{Avalanche: true}.Of(of(in))
		if !address {
			return v.whole(int64(n))
		}
		b := append(in.room(), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		if a := in.Source.Addr().Unmap(); a.IsValid() {
			b = appendAddr(b, a)
		}
		return v.bytes(Bin, in.keep(b))
	})})
	if address {
		k.Type = Bin
	}
	return k
}

// slot is one of the headers that were taken down.
func slot(needs Place, of func(in *Input) [][]byte) Kind {
	return Kind{Type: Str, Needs: needs, Args: "i", Make: func(a *Arguments) (Get, error) {
		n := a.number[0]
		if n < 0 {
			return nil, fmt.Errorf("%d is less than 0", n)
		}
		return func(in *Input, v *Value) Outcome {
			list := of(in)
			if n >= int64(len(list)) || list[n] == nil {
				return Missing
			}
			return v.bytes(Str, list[n])
		}, nil
	}}
}

// captured is the nth word of the request line.
func captured(n int) Kind {
	return Kind{Type: Str, Needs: Request, Make: plain(func(in *Input, v *Value) Outcome {
		line := in.Line
		if in.Head != nil {
			line = in.Head.StartLine.In(in.Buf)
		}
		if n == 2 {
			if len(line) == 0 {
				return Missing
			}
			if bytes.HasSuffix(line, []byte("HTTP/1.0")) {
				return v.bytes(Str, []byte("HTTP/1.0"))
			}
			return v.bytes(Str, []byte("HTTP/1.1"))
		}
		method, rest, ok := bytes.Cut(line, []byte(" "))
		if !ok {
			return Missing
		}
		if n == 0 {
			return v.text(method)
		}
		target, _, _ := bytes.Cut(rest, []byte(" "))
		return v.text(target)
	})}
}

// authorityOf is the host and port of a target that has a scheme.
func authorityOf(in *Input) ([]byte, bool) {
	if in.Head == nil {
		return nil, false
	}
	target := in.Head.Target.In(in.Buf)
	i := bytes.Index(target, []byte("://"))
	if i < 0 || target[0] == '/' {
		return nil, false
	}
	target = target[i+3:]
	if end := bytes.IndexAny(target, "/?"); end >= 0 {
		target = target[:end]
	}
	return target, true
}

func targetAddress(in *Input, v *Value) Outcome {
	authority, ok := authorityOf(in)
	if !ok {
		return Missing
	}
	host, _ := cutPort(authority)
	a, ok := readAddr(bytes.Trim(host, "[]"))
	if !ok {
		return Missing
	}
	return v.address(a)
}

func targetPort(in *Input, v *Value) Outcome {
	authority, ok := authorityOf(in)
	if !ok {
		return Missing
	}
	host, port := cutPort(authority)
	if _, ok := readAddr(bytes.Trim(host, "[]")); !ok { // names are not resolved
		return Missing
	}
	if len(port) == 0 {
		return v.whole(80)
	}
	return v.whole(leadingNumber(port))
}

// cutPort cuts host and port apart; brackets stay with the host.
func cutPort(b []byte) (host, port []byte) {
	i := bytes.LastIndexByte(b, ':')
	if i < 0 || bytes.IndexByte(b[i:], ']') >= 0 {
		return b, nil
	}
	return b[:i], b[i+1:]
}

// leadingNumber is the number a text begins with, as HAProxy reads it: 0
// without one, what is below the digits counts as less than 0, and 32 bits are
// all there is.
func leadingNumber(b []byte) int64 {
	digits, minus := bytes.CutPrefix(b, []byte("-"))
	var n int32
	for _, c := range digits {
		d := int32(int8(c)) - '0'
		if d > 9 {
			break
		}
		n = 10*n + d
	}
	if minus {
		n = -n
	}
	return int64(n)
}

// numberOf reads the number a text begins with.
func numberOf(k Kind) Kind {
	inner := k.Make
	k.Type = Int
	k.Make = func(a *Arguments) (Get, error) {
		get, err := inner(a)
		return func(in *Input, v *Value) Outcome {
			if out := get(in, v); out != Found {
				return out
			}
			return v.whole(leadingNumber(v.Str))
		}, err
	}
	return k
}

// countOf counts the values of a fetch of several.
func countOf(k Kind) Kind {
	inner := k.Make
	least, needs := k.Args, k.Needs
	return Kind{Type: Int, Needs: needs, Args: Args(strings.Replace(string(least), "i", "", 1)), Make: func(a *Arguments) (Get, error) {
		get, err := inner(a)
		return func(in *Input, v *Value) Outcome {
			if in.Head == nil && needs&Head != 0 || in.Reply == nil && needs&Answer != 0 {
				return Missing
			}
			n := int64(0)
			for in.cursor = (cursor{walking: true}); ; {
				if get(in, v) == Found {
					n++
				}
				if !in.cursor.more {
					break
				}
			}
			in.cursor = cursor{}
			return v.whole(n)
		}, err
	}}
}

// Fetches are what rules can look at (Configuration manual 7.3).
var Fetches = func() *config.Registry[Kind] {
	rows := slices.Concat(internalRows, linkRows, secureRows, payloadRows, requestRows, answerRows)
	slices.SortFunc(rows, func(a, b config.Row[Kind]) int { return strings.Compare(a.Name, b.Name) })
	return config.NewRegistry(rows...)
}()
