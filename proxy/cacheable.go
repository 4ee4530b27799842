package proxy

import (
	"bytes"
	"fmt"

	"herald/proxy/h1"
	"herald/proxy/logline"
)

// option checkcache: a cookie is for one client, a response that caches keep
// for all.

// cachesCookie reports whether the response in buf, parsed into the loop's
// head, sets a cookie and may be kept: its status or "public" says so,
// something tells how long, and nothing forbids it. Of contradicting words the
// last counts.
func (x *stream) cachesCookie(buf []byte) bool {
	h := &x.w.head
	may := x.safeMethod() && cacheableStatus(h.Status)
	var cookie, lasts bool
	for i := range h.Headers {
		f := &h.Headers[i]
		switch string(f.Name.In(buf)) {
		case "set-cookie", "set-cookie2":
			cookie = true
		case "expires", "etag", "last-modified":
			lasts = true
		case "pragma":
			if hasElement(f.Value.In(buf), "no-cache") {
				return false
			}
		}
	}
	for i := range h.Headers {
		f := &h.Headers[i]
		if string(f.Name.In(buf)) != "cache-control" {
			continue
		}
		for rest, more := f.Value.In(buf), true; more; {
			var word []byte
			word, rest, more = h1.CutElement(rest)
			switch word = bytes.ToLower(bytes.TrimSpace(word)); {
			case oneOf(word, "private", "no-cache", "no-store", "max-age=0", "s-maxage=0"), bytes.HasPrefix(word, []byte(`no-cache="set-cookie`)):
				may = false
			case string(word) == "public":
				may = true
			case bytes.HasPrefix(word, []byte("max-age=")), bytes.HasPrefix(word, []byte("s-maxage=")):
				lasts = true
			}
		}
	}
	return cookie && may && lasts
}

func (x *stream) safeMethod() bool {
	switch x.method {
	case h1.MethodGet, h1.MethodHead, h1.MethodOptions, h1.MethodTrace:
		return true
	}
	return false
}

// cacheableStatus are statuses whose responses caches may keep without being
// told (RFC 9110 section 15.1).
func cacheableStatus(status int) bool {
	switch status {
	case 200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501:
		return true
	}
	return false
}

func oneOf(word []byte, list ...string) bool {
	for _, s := range list {
		if string(word) == s {
			return true
		}
	}
	return false
}

// hasElement reports whether a list has this element, in any case.
func hasElement(list []byte, element string) bool {
	for more := true; more; {
		var one []byte
		one, list, more = h1.CutElement(list)
		if bytes.EqualFold(bytes.TrimSpace(one), []byte(element)) {
			return true
		}
	}
	return false
}

// blockCookie answers in place of such a response.
func (x *stream) blockCookie() answer {
	for _, n := range []*tally{x.tally(), &x.be.tallies[x.w.id], &x.t.tallies[x.w.id]} {
		n.deniedResp.Add(1)
	}
	x.be.log.event(logline.Alert, fmt.Sprintf("Blocking cacheable cookie in response from instance %s, server %s.", x.be.cfg.Name, x.t.cfg.Name))
	x.keepServer = false
	x.flag('P', 'H')
	return x.answer(502)
}

// noticeNTLM notes that the server authenticates the connection and not the
// request (NTLM, Negotiate): nobody else may use it, and the client has to come
// back to it.
func (x *stream) noticeNTLM(buf []byte) {
	h := &x.w.head
	for i := range h.Headers {
		f := &h.Headers[i]
		switch string(f.Name.In(buf)) {
		case "www-authenticate", "proxy-authenticate":
			scheme, _, _ := bytes.Cut(f.Value.In(buf), []byte(" "))
			if bytes.EqualFold(scheme, []byte("NTLM")) || bytes.EqualFold(scheme, []byte("Negotiate")) {
				x.u.private, x.c.bound = true, true
				return
			}
		}
	}
}
