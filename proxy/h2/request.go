package h2

import (
	"bytes"
	"slices"

	"herald/proxy/h1"
)

// Open begins a stream of ours, for a request to be written. It answers nil
// when the peer allows no more for now, or the connection carries no new one.
// The stream has no ID before the head of its request is written: IDs must
// rise on the wire (RFC 9113 section 5.1.1).
func (c *Conn) Open() *Stream {
	if !c.Free() {
		return nil
	}
	s := c.newStream()
	c.unborn = append(c.unborn, s)
	return s
}

// Free reports that another stream may be opened.
func (c *Conn) Free() bool {
	return !c.broken && !c.peerLeft && uint32(len(c.streams)+len(c.unborn)) < c.peerStreams && c.maxID < maxWindow-2*uint32(len(c.unborn)+1)
}

// bear gives s its ID.
func (c *Conn) bear(s *Stream) {
	c.drop(s)
	c.maxID += 1 + c.maxID&1 // 1, 3, 5 ...
	s.ID, s.room = c.maxID, c.firstRoom
	c.streams[s.ID] = s
}

// drop takes s from those without an ID.
func (c *Conn) drop(s *Stream) {
	if i := slices.Index(c.unborn, s); i >= 0 {
		c.unborn = slices.Delete(c.unborn, i, i+1)
	}
}

// writeRequest sends the head of a request.
func (c *Conn) writeRequest(s *Stream, h *h1.Head, buf []byte) bool {
	if h.WantsUpgrade && !c.connectOK || s.ID == 0 && c.peerLeft {
		return false
	}
	if s.ID == 0 {
		c.bear(s)
	}
	s.method, s.upgrade = h.Method, h.WantsUpgrade
	var host []byte
	if i := h.FindKind(h1.Host); i >= 0 {
		host = h.Headers[i].Value.In(buf)
	}
	target := h.Target.In(buf)
	at := c.beginBlock()
	switch {
	case h.Method == h1.MethodConnect:
		c.out = appendMethod(c.out, h.MethodAt.In(buf))
		c.out = appendIndexed(c.out, nameAuthority, target)
	default:
		scheme := s.said.scheme()
		if target[0] != '/' && target[0] != '*' { // absolute
			scheme, host, target = splitTarget(target, host)
		}
		method := h.MethodAt.In(buf)
		if s.upgrade {
			method = []byte("CONNECT")
		}
		c.out = appendMethod(c.out, method)
		c.out = appendScheme(c.out, scheme)
		if len(host) > 0 {
			c.out = appendIndexed(c.out, nameAuthority, host)
		}
		c.out = appendIndexed(c.out, namePath, target)
		if s.upgrade {
			i := h.FindKind(h1.Upgrade)
			s.said.protocol = bytes.Clone(h.Headers[i].Value.In(buf))
			c.out = appendLiteral(c.out, []byte(":protocol"), s.said.protocol)
			if i := h.Find(buf, "sec-websocket-key"); i >= 0 {
				s.said.accept = acceptOf(h.Headers[i].Value.In(buf))
			}
		}
	}
	c.appendFields(h, buf, s.upgrade)
	end := h.Framing == h1.NoBody && h.Method != h1.MethodConnect && !s.upgrade
	c.finishBlock(s, at, end)
	s.said.begin(h)
	if !end && h.Framing == h1.NoBody {
		s.said.state = sayRaw
	}
	return true
}

var https = []byte("https")

// scheme is that of a request whose target does not name one: what the client
// said in HTTP/2, or https, as HAProxy says for a client in HTTP/1.
func (w *writer) scheme() []byte {
	if w.source == nil || w.source.scheme == "" {
		return https
	}
	return []byte(w.source.scheme)
}

// splitTarget cuts "scheme://authority/path" in three.
func splitTarget(target, host []byte) (scheme, authority, path []byte) {
	scheme, rest, ok := bytes.Cut(target, []byte("://"))
	if !ok {
		return https, host, target
	}
	i := bytes.IndexAny(rest, "/?")
	switch {
	case i < 0:
		return scheme, rest, []byte("/")
	case rest[i] == '?':
		return scheme, rest[:i], append([]byte("/"), rest[i:]...)
	}
	return scheme, rest[:i], rest[i:]
}
