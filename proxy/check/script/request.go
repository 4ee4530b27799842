package script

import (
	"slices"
	"strconv"
	"strings"
)

// Request is what an http-check sends. What is nil or empty is taken from
// option httpchk, then HAProxy's default.
type Request struct {
	Method  string // OPTIONS
	URI     *Text  // "/"
	Version string // HTTP/1.0
	Headers []HeaderText
	Body    *Text
}

// HeaderText is one "hdr" of http-check send.
type HeaderText struct {
	Name string
	Text *Text
}

// Over is the request of s, with what it does not say taken from that of o,
// which may be nil.
func (s *Send) Over(o *Send) *Send {
	if o == nil {
		return s
	}
	return &Send{HTTP: s.HTTP.under(o.HTTP)}
}

// under answers r with what it does not say taken from o.
func (r *Request) under(o *Request) *Request {
	m := *r
	if m.Method == "" {
		m.Method = o.Method
	}
	if m.URI == nil {
		m.URI = o.URI
	}
	if m.Version == "" {
		m.Version = o.Version
	}
	if m.Headers == nil {
		m.Headers = o.Headers
	}
	if m.Body == nil {
		m.Body = o.Body
	}
	return &m
}

// append writes the request: header names in lower case, a Content-Length when
// there is a body or might be, and in HTTP/1.1 "Connection: close" unless a rule says
// otherwise. State is the value of X-Haproxy-Server-State, or empty.
func (r *Request) append(dst []byte, e *env, state string) []byte {
	method, uri, version := r.Method, "/", "HTTP/1.0"
	if method == "" {
		method = "OPTIONS"
	}
	if r.URI != nil {
		uri = string(r.URI.append(nil, e))
	}
	if r.Version != "" && r.Version != "HTTP/1.0" {
		version = "HTTP/1.1"
	}
	host := ""
	for _, h := range r.Headers {
		if strings.EqualFold(h.Name, "host") {
			host = clean(string(h.Text.append(nil, e)))
		}
	}
	dst = append(dst, method...)
	dst = append(dst, ' ')
	dst = append(dst, authority(clean(uri), host)...)
	dst = append(dst, ' ')
	dst = append(dst, version...)
	dst = append(dst, "\r\n"...)
	closes := version == "HTTP/1.1"
	for _, h := range r.Headers {
		name, value := strings.ToLower(h.Name), clean(string(h.Text.append(nil, e)))
		switch name {
		case "content-length", "transfer-encoding":
			continue // the body decides
		case "connection":
			closes = false
			if version == "HTTP/1.1" && strings.EqualFold(value, "keep-alive") {
				continue
			}
		}
		dst = header(dst, name, value)
	}
	if state != "" {
		dst = header(dst, "x-haproxy-server-state", state)
	}
	body := r.Body.append(nil, e)
	if r.Body != nil || !bodiless[method] {
		dst = header(dst, "content-length", strconv.Itoa(len(body)))
	}
	if closes {
		dst = header(dst, "connection", "close")
	}
	dst = append(dst, "\r\n"...)
	return append(dst, body...)
}

// bodiless are the methods whose requests say nothing of a body they do not
// have; servers want a length of the others (411).
var bodiless = map[string]bool{"GET": true, "HEAD": true, "OPTIONS": true, "DELETE": true}

func header(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// clean keeps what a variable holds from ending a line of the request.
func clean(s string) string {
	if strings.IndexFunc(s, control) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if control(r) {
			return ' '
		}
		return r
	}, s)
}

func control(r rune) bool { return r == '\r' || r == '\n' || r == 0 }

// authority puts the Host into a URI in absolute form.
func authority(uri, host string) string {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok || host == "" || !slices.Contains([]string{"http", "https"}, strings.ToLower(scheme)) {
		return uri
	}
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		return scheme + "://" + host + rest[slash:]
	}
	return scheme + "://" + host
}
