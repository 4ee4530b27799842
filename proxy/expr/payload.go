package expr

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"herald/config"
	"herald/proxy/h1"
)

// payloadRows are fetches of bytes in mode tcp (Configuration manual 7.3.5).
var payloadRows = []config.Row[Kind]{
	row("payload", "req.payload, or res.payload where a response is looked at.", "payload(0,4) 5353482d", hexadecimal(either(requestBytes(payload, "ii"), answerBytes(payload, "ii")))),
	row("payload_lv", "req.payload_lv, or res.payload_lv where a response is looked at.", "payload_lv(0,2) -m found", hexadecimal(either(requestBytes(payloadBehindLength, "ii?s"), answerBytes(payloadBehindLength, "ii?s")))),
	row("rdp_cookie", "The old name of req.rdp_cookie.", "rdp_cookie(mstshash) joe", rdpCookie(false)),
	row("rdp_cookie_cnt", "The old name of req.rdp_cookie_cnt.", "rdp_cookie_cnt gt 0", rdpCookie(true)),
	row("rep_ssl_hello_type", "The old name of res.ssl_hello_type.", "rep_ssl_hello_type 2", Kind{Type: Int, Needs: Response, Make: plain(answerHello)}),
	row("req.len", "How many bytes have been received.", "req.len gt 0", Kind{Type: Int, Needs: Request, Make: growing(received)}),
	row("req.payload", "Bytes received, from an offset on; a length of 0 is all.", "req.payload(0,4) -m bin 5353482d", requestBytes(payload, "ii")),
	row("req.payload_lv", "Bytes behind a length that is at an offset, or at another place.", "req.payload_lv(0,2) -m found", requestBytes(payloadBehindLength, "ii?s")),
	row("req.proto_http", "Whether what has come is an HTTP request.", "req.proto_http", Kind{Type: Bool, Needs: Request, Make: plain(protoHTTP)}),
	row("req.rdp_cookie", "The cookie of an RDP connection request.", "req.rdp_cookie(mstshash) joe", rdpCookie(false)),
	row("req.rdp_cookie_cnt", "How many cookies an RDP connection request has.", "req.rdp_cookie_cnt gt 0", rdpCookie(true)),
	row("req.ssl_alpn", "The first protocol a TLS client offers.", "req.ssl_alpn h2", ofHello(Str, func(v *Value, h *Hello) Outcome { return v.text(h.ALPN) })),
	row("req.ssl_ec_ext", "Whether a TLS client says which elliptic curves it knows.", "req.ssl_ec_ext", ofHello(Bool, func(v *Value, h *Hello) Outcome { return v.boolean(h.Curves) })),
	row("req.ssl_hello_type", "The type of a TLS client's first message: 1 is a ClientHello.", "req.ssl_hello_type 1", ofHello(Int, helloType)),
	row("req.ssl_sni", "The name a TLS client asks for, without decrypting anything.", "req.ssl_sni -i www.example.com", ofHello(Str, sni)),
	row("req.ssl_st_ext", "Whether a TLS client takes tickets: 0 no, 1 yes, 2 it has one.", "req.ssl_st_ext 2", ofHello(Int, func(v *Value, h *Hello) Outcome { return v.whole(int64(h.Ticket)) })),
	row("req.ssl_ver", "The version a TLS client begins with: major times 65536 and minor.", "req.ssl_ver ge 3.1", dotted(ofHello(Int, version))),
	row("req_len", "The old name of req.len.", "req_len gt 0", Kind{Type: Int, Needs: Request, Make: growing(received)}),
	row("req_proto_http", "The old name of req.proto_http.", "req_proto_http", Kind{Type: Bool, Needs: Request, Make: plain(protoHTTP)}),
	row("req_rdp_cookie", "The old name of req.rdp_cookie.", "req_rdp_cookie(mstshash) joe", rdpCookie(false)),
	row("req_rdp_cookie_cnt", "The old name of req.rdp_cookie_cnt.", "req_rdp_cookie_cnt gt 0", rdpCookie(true)),
	row("req_ssl_hello_type", "The old name of req.ssl_hello_type.", "req_ssl_hello_type 1", ofHello(Int, helloType)),
	row("req_ssl_sni", "The old name of req.ssl_sni.", "req_ssl_sni -i www.example.com", ofHello(Str, sni)),
	row("req_ssl_ver", "The old name of req.ssl_ver.", "req_ssl_ver ge 3.1", dotted(ofHello(Int, version))),
	row("res.len", "How many bytes the server has sent.", "res.len gt 0", Kind{Type: Int, Needs: Response, Make: growing(func(in *Input, v *Value) Outcome { return v.whole(int64(len(in.Sent))) })}),
	row("res.payload", "Bytes the server sent, from an offset on; a length of 0 is all.", "res.payload(0,4) -m bin 5353482d", answerBytes(payload, "ii")),
	row("res.payload_lv", "Bytes of the server behind a length that is at an offset, or at another place.", "res.payload_lv(0,2) -m found", answerBytes(payloadBehindLength, "ii?s")),
	row("res.ssl_hello_type", "The type of a TLS server's first message: 2 is a ServerHello.", "res.ssl_hello_type 2", Kind{Type: Int, Needs: Response, Make: plain(answerHello)}),
	row("wait_end", "True when no more is waited for.", "wait_end", Kind{Type: Bool, Make: plain(waitEnd)}),
}

// growing is a fetch whose value changes while bytes come.
func growing(get Get) func(*Arguments) (Get, error) {
	return func(a *Arguments) (Get, error) {
		a.grows = true
		return get, nil
	}
}

// dotted says that patterns of the fetch may be MAJOR.MINOR.
func dotted(k Kind) Kind {
	k.Method = "dotted"
	return k
}

// received counts bytes; more may come until the end.
func received(in *Input, v *Value) Outcome {
	if in.Head != nil {
		return v.whole(int64(len(in.Buf)))
	}
	return v.whole(int64(len(in.Data)))
}

// waitEnd is not known before the end.
func waitEnd(in *Input, v *Value) Outcome {
	if !in.Final {
		return Wait
	}
	return v.boolean(true)
}

// part cuts something out of bytes of which more may come.
type part func(a *Arguments) (func(in *Input, v *Value, data []byte) Outcome, error)

// requestBytes is a fetch of what the client has sent, which in mode http
// there is none of.
func requestBytes(cut part, args Args) Kind {
	return bytesOf(cut, args, Request, func(in *Input) []byte { return in.Data })
}

// hexadecimal says that patterns of the fetch are so without -m.
func hexadecimal(k Kind) Kind {
	k.Method = "bin"
	return k
}

func answerBytes(cut part, args Args) Kind {
	return bytesOf(cut, args, Response, func(in *Input) []byte { return in.Sent })
}

func bytesOf(cut part, args Args, needs Place, data func(in *Input) []byte) Kind {
	return Kind{Type: Bin, Args: args, Needs: needs, Make: func(a *Arguments) (Get, error) {
		get, err := cut(a)
		return func(in *Input, v *Value) Outcome {
			if in.Head != nil || in.Reply != nil {
				return Missing
			}
			return get(in, v, data(in))
		}, err
	}}
}

// least answers Wait while data has fewer than n bytes and more may come.
func (in *Input) least(data []byte, n int) Outcome {
	switch {
	case len(data) >= n:
		return Found
	case in.Final:
		return Missing
	}
	return Wait
}

func payload(a *Arguments) (func(in *Input, v *Value, data []byte) Outcome, error) {
	from, length := int(a.number[0]), int(a.number[1])
	a.grows = length == 0
	if from < 0 || length < 0 || from > 1<<20 || length > 1<<20 {
		return nil, errors.New("an offset or length is beyond what there can be")
	}
	return func(in *Input, v *Value, data []byte) Outcome {
		end := from + length
		if length == 0 {
			end = len(data)
		}
		if out := in.least(data, max(end, from+1)); out != Found {
			return out
		}
		return v.bytes(Bin, data[from:end])
	}, nil
}

func payloadBehindLength(a *Arguments) (func(in *Input, v *Value, data []byte) Outcome, error) {
	at, size := int(a.number[0]), int(a.number[1])
	place := a.at(2)
	relative := strings.HasPrefix(place, "+") || strings.HasPrefix(place, "-")
	offset := 0
	if place != "" {
		n, err := strconv.Atoi(place)
		if err != nil {
			return nil, fmt.Errorf("%q is not an offset", place)
		}
		offset = n
	}
	from := at + size
	switch {
	case relative:
		from += offset
	case place != "":
		from = offset
	}
	if at < 0 || at > 1<<20 || size < 1 || size > 4 || from < 0 || from > 1<<20 {
		return nil, errors.New("an offset or length is beyond what there can be")
	}
	return func(in *Input, v *Value, data []byte) Outcome {
		if out := in.least(data, at+size); out != Found {
			return out
		}
		length := 0
		for _, c := range data[at : at+size] {
			length = length<<8 | int(c)
		}
		if length == 0 || length > 1<<20 {
			return Missing
		}
		if out := in.least(data, from+length); out != Found {
			return out
		}
		return v.bytes(Bin, data[from:from+length])
	}, nil
}

func ofHello(t Type, get func(v *Value, h *Hello) Outcome) Kind {
	return Kind{Type: t, Needs: Request, Make: plain(func(in *Input, v *Value) Outcome {
		h, out := in.Hello()
		if out != Found {
			return out
		}
		return get(v, h)
	})}
}

func helloType(v *Value, h *Hello) Outcome { return v.whole(int64(h.Type)) }

func sni(v *Value, h *Hello) Outcome { return v.text(h.ServerName) }

func version(v *Value, h *Hello) Outcome {
	return v.whole(int64(h.Version>>8)<<16 | int64(h.Version&0xff))
}

// answerHello is the type of the first handshake message of a server.
func answerHello(in *Input, v *Value) Outcome {
	if in.Reply != nil {
		return Missing
	}
	if len(in.Sent) > 0 && in.Sent[0] != handshakeRecord {
		return Missing
	}
	if out := in.least(in.Sent, recordHeader+1); out != Found {
		return out
	}
	return v.whole(int64(in.Sent[recordHeader]))
}

// protoHTTP parses what has come in mode tcp; in mode http it is one.
func protoHTTP(in *Input, v *Value) Outcome {
	if in.Head != nil {
		return v.boolean(true)
	}
	var head h1.Head
	head.Reset()
	switch verdict := head.ParseRequest(bytes.Clone(in.Data)); { // which would write names in lower case
	case verdict == h1.Complete:
		return v.boolean(true)
	case verdict == h1.Incomplete && !in.Final:
		return Wait
	}
	return Missing
}

// rdpCookie finds the cookie of an RDP connection request: the line "Cookie:
// NAME=VALUE" after the TPKT and X.224 headers ([MS-RDPBCGR] section 2.2.1.1).
func rdpCookie(count bool) Kind {
	k := Kind{Type: Str, Needs: Request, Args: "?s", Make: func(a *Arguments) (Get, error) {
		name := []byte(a.at(0))
		return func(in *Input, v *Value) Outcome {
			out, whether := cookieOfRDP(in, v, name)
			switch {
			case count && out == Found:
				return v.whole(1)
			case count && whether:
				return v.whole(0)
			}
			return out
		}, nil
	}}
	if count {
		k.Type = Int
	}
	return k
}

// cookieOfRDP answers the cookie; known says that there is none for certain.
func cookieOfRDP(in *Input, v *Value, name []byte) (out Outcome, known bool) {
	const (
		headers = 11 // TPKT 4, X.224 connection request 7
		word    = "Cookie:"
	)
	data := in.Data
	if out := in.least(data, headers+len(word)); out != Found {
		return out, false
	}
	line := data[headers:]
	if data[0] != 3 || data[5] != 0xe0 || !bytes.EqualFold(line[:len(word)], []byte(word)) {
		return Missing, true
	}
	line, _, ended := bytes.Cut(bytes.TrimLeft(line[len(word):], " "), []byte("\r\n"))
	key, value, ok := bytes.Cut(line, []byte("="))
	switch {
	case ok && len(name) > 0 && !bytes.EqualFold(key, name), ended && !ok:
		return Missing, true
	case !ended:
		return in.least(nil, 1), false
	}
	return v.bytes(Str, value), true
}
