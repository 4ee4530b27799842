package expr

import (
	"bytes"
	"net/netip"
	"slices"
	"strconv"

	"herald/config"
	"herald/proxy/h1"
)

// yes and no are the values of booleans.
var (
	yes = Value{Int: 1}
	no  = Value{}
)

func boolean(b bool) Value {
	if b {
		return yes
	}
	return no
}

func plain(get Get) func([]string) (Get, error) {
	return func([]string) (Get, error) { return get, nil }
}

func row(name, doc, example string, k Kind) config.Row[Kind] {
	return config.Row[Kind]{Name: name, Doc: doc, Example: example, Do: k}
}

// Fetches are what rules can look at so far (Configuration manual 7.3).
var Fetches = config.NewRegistry(slices.Concat(requestRows, plainRows)...)

var plainRows = []config.Row[Kind]{
	row("always_false", "Never true.", "always_false", Kind{Type: Bool, Make: plain(func(*Input) (Value, Outcome) { return no, Found })}),
	row("always_true", "Always true.", "always_true", Kind{Type: Bool, Make: plain(func(*Input) (Value, Outcome) { return yes, Found })}),
	row("dst", "The address the client connected to.", "dst 10.0.0.1", Kind{Type: Addr, Make: plain(func(in *Input) (Value, Outcome) { return address(in.Destination.Addr()) })}),
	row("dst_port", "The port the client connected to.", "dst_port 443", Kind{Type: Int, Make: plain(func(in *Input) (Value, Outcome) { return Value{Int: int64(in.Destination.Port())}, Found })}),
	row("nbsrv", "How many servers of a backend are up.", "nbsrv(app) lt 2", Kind{Type: Int, Least: 1, Most: 1, Make: upServers}),
	row("req.len", "How many bytes have been received.", "req.len gt 0", Kind{Type: Int, Make: plain(received)}),
	row("req.payload", "Bytes received, from an offset on; a length of 0 is all.", "req.payload(0,4) -m str SSH-", Kind{Type: Str, Least: 2, Most: 2, Make: payload}),
	row("req.ssl_alpn", "The first protocol a TLS client offers.", "req.ssl_alpn h2", Kind{Type: Str, Make: plain(hello(func(h *Hello) (Value, Outcome) { return text(h.ALPN) }))}),
	row("req.ssl_hello_type", "The type of a TLS client's first message: 1 is a ClientHello.", "req.ssl_hello_type 1", Kind{Type: Int, Make: plain(helloType)}),
	row("req.ssl_sni", "The name a TLS client asks for, without decrypting anything.", "req.ssl_sni -i www.example.com", Kind{Type: Str, Make: plain(sni)}),
	row("req.ssl_ver", "The version a TLS client begins with: major times 65536 and minor.", "req.ssl_ver ge 3.1", Kind{Type: Int, Make: plain(hello(version))}),
	row("req_len", "The old name of req.len.", "req_len gt 0", Kind{Type: Int, Make: plain(received)}),
	row("req_ssl_hello_type", "The old name of req.ssl_hello_type.", "req_ssl_hello_type 1", Kind{Type: Int, Make: plain(helloType)}),
	row("req_ssl_sni", "The old name of req.ssl_sni.", "req_ssl_sni -i www.example.com", Kind{Type: Str, Make: plain(sni)}),
	row("src", "The client's address.", "src 10.0.0.0/8", Kind{Type: Addr, Make: plain(func(in *Input) (Value, Outcome) { return address(in.Source.Addr()) })}),
	row("src_port", "The client's port.", "src_port lt 1024", Kind{Type: Int, Make: plain(func(in *Input) (Value, Outcome) { return Value{Int: int64(in.Source.Port())}, Found })}),
	row("ssl_fc", "Whether the client's connection is encrypted here.", "ssl_fc", Kind{Type: Bool, Make: plain(func(in *Input) (Value, Outcome) { return boolean(in.Secure), Found })}),
	row("ssl_fc_sni", "The name the client asked for in TLS that ends here.", "ssl_fc_sni -i www.example.com", Kind{Type: Str, Make: plain(func(in *Input) (Value, Outcome) { return text([]byte(in.ServerName)) })}),
	row("wait_end", "True when no more is waited for.", "wait_end", Kind{Type: Bool, Make: plain(waitEnd)}),

	row("hdr", "A header of the request; each element of a list counts as one.", "hdr(host) -i www.example.com", headers),
	row("method", "The method of the request.", "method GET HEAD", Kind{Type: Str, HTTP: true, Make: plain(inHead(func(in *Input) []byte { return in.Head.MethodAt.In(in.Buf) }))}),
	row("path", "The path of the request, without the query.", "path -m beg /api/", Kind{Type: Str, HTTP: true, Make: plain(inHead(pathOf))}),
	row("query", "What follows the question mark.", "query -m found", Kind{Type: Str, HTTP: true, Make: plain(inHead(queryOf))}),
	row("req.hdr", "The same as hdr.", "req.hdr(host) -i www.example.com", headers),
	row("req.ver", "The version of the request, as 1.1.", "req.ver 1.1", Kind{Type: Str, HTTP: true, Make: plain(inHead(versionOf))}),
	row("url", "The target of the request as it came.", "url -m end .png", Kind{Type: Str, HTTP: true, Make: plain(inHead(func(in *Input) []byte { return in.Head.Target.In(in.Buf) }))}),
}

func address(a netip.Addr) (Value, Outcome) {
	if !a.IsValid() {
		return Value{}, Missing
	}
	return Value{Addr: a.Unmap()}, Found
}

func text(b []byte) (Value, Outcome) {
	if len(b) == 0 {
		return Value{}, Missing
	}
	return Value{Str: b}, Found
}

// received counts bytes; more may come until the end.
func received(in *Input) (Value, Outcome) {
	v := Value{Int: int64(len(in.Data))}
	if in.Head != nil {
		v.Int = int64(len(in.Buf))
	}
	return v, Found
}

// waitEnd is not known before the end.
func waitEnd(in *Input) (Value, Outcome) {
	if !in.Final {
		return Value{}, Wait
	}
	return yes, Found
}

func payload(args []string) (Get, error) {
	var n [2]int
	for i, a := range args {
		v, err := config.Int(a, 0, 1<<20)
		if err != nil {
			return nil, err
		}
		n[i] = v
	}
	return func(in *Input) (Value, Outcome) {
		end := n[0] + n[1]
		if n[1] == 0 {
			end = len(in.Data)
		}
		if len(in.Data) < end || len(in.Data) <= n[0] {
			if in.Final {
				return Value{}, Missing
			}
			return Value{}, Wait
		}
		return Value{Str: in.Data[n[0]:end]}, Found
	}, nil
}

func hello(get func(h *Hello) (Value, Outcome)) Get {
	return func(in *Input) (Value, Outcome) {
		h, out := in.Hello()
		if out != Found {
			return Value{}, out
		}
		return get(h)
	}
}

var (
	helloType = hello(func(h *Hello) (Value, Outcome) { return Value{Int: int64(h.Type)}, Found })
	sni       = hello(func(h *Hello) (Value, Outcome) { return text(h.ServerName) })
)

func version(h *Hello) (Value, Outcome) {
	return Value{Int: int64(h.Version>>8)<<16 | int64(h.Version&0xff)}, Found
}

func upServers(args []string) (Get, error) {
	backend := args[0]
	return func(in *Input) (Value, Outcome) {
		if in.World == nil {
			return Value{}, Missing
		}
		n, ok := in.World.Up(backend)
		if !ok {
			return Value{}, Missing
		}
		return Value{Int: int64(n)}, Found
	}, nil
}

// inHead looks at a head that is there.
func inHead(part func(in *Input) []byte) Get {
	return func(in *Input) (Value, Outcome) {
		if in.Head == nil {
			return Value{}, Missing
		}
		b := part(in)
		if b == nil {
			return Value{}, Missing
		}
		return Value{Str: b}, Found
	}
}

func pathOf(in *Input) []byte {
	target := in.Head.Target.In(in.Buf)
	if i := bytes.Index(target, []byte("://")); i >= 0 && len(target) > 0 && target[0] != '/' {
		target = target[i+3:]
		j := bytes.IndexByte(target, '/')
		if j < 0 {
			return nil
		}
		target = target[j:]
	}
	if i := bytes.IndexByte(target, '?'); i >= 0 {
		target = target[:i]
	}
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

// everyHeader walks the elements of all lines of a header.
func everyHeader(args []string) func(in *Input, take func([]byte) bool) Outcome {
	name := string(bytes.ToLower([]byte(args[0])))
	return func(in *Input, take func([]byte) bool) Outcome {
		if in.Head == nil {
			return Missing
		}
		for i := range in.Head.Headers {
			f := &in.Head.Headers[i]
			if string(f.Name.In(in.Buf)) != name {
				continue
			}
			for rest, more := f.Value.In(in.Buf), true; more; {
				var one []byte
				one, rest, more = cutElement(rest)
				if take(bytes.TrimSpace(one)) {
					return Found
				}
			}
		}
		return Missing
	}
}

// integer reads an integer pattern: a number, or a version MAJOR.MINOR for
// req.ssl_ver.
func integer(s string) (int64, error) {
	if major, minor, ok := bytes.Cut([]byte(s), []byte(".")); ok {
		a, err := strconv.ParseInt(string(major), 10, 16)
		if err != nil {
			return 0, err
		}
		b, err := strconv.ParseInt(string(minor), 10, 16)
		return a<<16 | b, err
	}
	return strconv.ParseInt(s, 10, 64)
}

// cutElement cuts the first element off a list; a comma within quotes is part
// of it (RFC 9110 section 5.6.1).
func cutElement(list []byte) (one, rest []byte, more bool) {
	quoted := false
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == ',' && !quoted:
			return list[:i], list[i+1:], true
		}
	}
	return list, nil, false
}
