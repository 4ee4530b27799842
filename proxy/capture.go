package proxy

import (
	"bytes"

	"herald/proxy/h1"
	"herald/proxy/settings"
)

// caught is what the log tells of a request and its response (capture).
type caught struct {
	request, response           [][]byte
	requestCookie, answerCookie []byte
}

// catchRequest takes down what is captured of the request in buf, parsed into
// the loop's head.
func (x *stream) catchRequest(buf []byte) {
	cfg := &x.fe.cfg.Captures
	if len(cfg.Request) == 0 && len(cfg.Response) == 0 && cfg.Cookie.Len == 0 {
		return
	}
	x.caught = &caught{request: catch(cfg.Request, &x.w.head, buf), response: make([][]byte, len(cfg.Response)),
		requestCookie: catchCookie(cfg.Cookie, "cookie", &x.w.head, buf)}
}

// catchResponse is catchRequest for the response.
func (x *stream) catchResponse(buf []byte) {
	if c := x.caught; c != nil {
		cfg := &x.fe.cfg.Captures
		c.response = catch(cfg.Response, &x.w.head, buf)
		c.answerCookie = catchCookie(cfg.Cookie, "set-cookie", &x.w.head, buf)
	}
}

// catch copies the last line of each header.
func catch(list []settings.Capture, h *h1.Head, buf []byte) [][]byte {
	out := make([][]byte, len(list))
	for i := range list {
		for j := range h.Headers {
			if f := &h.Headers[j]; string(f.Name.In(buf)) == list[i].Name {
				v := f.Value.In(buf)
				out[i] = append(out[i][:0], v[:min(len(v), list[i].Len)]...)
			}
		}
	}
	return out
}

// catchCookie copies the first cookie that begins so.
func catchCookie(want settings.Capture, header string, h *h1.Head, buf []byte) []byte {
	if want.Len == 0 {
		return nil
	}
	for i := range h.Headers {
		if f := &h.Headers[i]; string(f.Name.In(buf)) == header {
			for one := range bytes.SplitSeq(f.Value.In(buf), []byte(";")) {
				if one = bytes.TrimSpace(one); bytes.HasPrefix(one, []byte(want.Name)) {
					return bytes.Clone(one[:min(len(one), want.Len)])
				}
				if header == "set-cookie" {
					break // what follows are its attributes
				}
			}
		}
	}
	return nil
}

// redirect answers GET and HEAD for a server whose line says where else to
// ask.
func (x *stream) redirect(t *target) (a answer, mine bool) {
	if t.cfg.Redirect == "" || x.method != h1.MethodGet && x.method != h1.MethodHead {
		return next, false
	}
	_, target, _ := bytes.Cut(x.out, []byte(" "))
	target, _, _ = bytes.Cut(target, []byte(" "))
	if _, rest, absolute := bytes.Cut(target, []byte("://")); absolute && target[0] != '/' {
		target = nil
		if i := bytes.IndexByte(rest, '/'); i >= 0 {
			target = rest[i:]
		}
	}
	if len(target) == 0 || target[0] != '/' {
		return next, false
	}
	x.flag('L', 'C')
	x.status, x.keep = 302, false
	page := append([]byte("HTTP/1.1 302 Found\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: "), t.cfg.Redirect...)
	page = append(page, target...)
	return x.say(append(page, "\r\nconnection: close\r\n\r\n"...)), true
}
