package expr

import (
	"bytes"
	"strings"

	"herald/proxy/h1"
)

// Walks over headers: the cursor's line is the header to look at next, from
// is where in its value.

// elements is a fetch of the elements of a header's lines; without a name there
// are none, or if it shall those of all headers.
func (s side) elements(all bool) Kind {
	return Kind{Type: Str, Needs: s.needs, Several: true, Args: "?si", Make: func(a *Arguments) (Get, error) {
		name, nth := strings.ToLower(a.at(0)), int(a.int(1, 0))
		return func(in *Input, v *Value) Outcome {
			head, buf := s.head(in)
			if head == nil || name == "" && !all {
				return Missing
			}
			if in.cursor.walking && nth == 0 {
				return in.nextElement(v, head, buf, name)
			}
			return nthElement(v, head, buf, name, nth)
		}, nil
	}}
}

// nextElement is the element at the cursor, which moves on.
func (in *Input) nextElement(v *Value, head *h1.Head, buf []byte, name string) Outcome {
	c := &in.cursor
	for ; c.line < len(head.Headers); c.line, c.from = c.line+1, 0 {
		f := &head.Headers[c.line]
		if name != "" && string(f.Name.In(buf)) != name {
			continue
		}
		value := f.Value.In(buf)
		one, _, more := h1.CutElement(value[c.from:])
		if c.from += len(one) + 1; !more {
			c.line, c.from = c.line+1, 0
		}
		c.more = true
		return v.bytes(Str, bytes.TrimSpace(one))
	}
	c.more = false
	return Missing
}

// nthElement is the nth element of a header from the first, 1, or from the
// last, -1; 0 is the last too.
func nthElement(v *Value, head *h1.Head, buf []byte, name string, nth int) Outcome {
	if nth < 0 {
		total := 0
		everyElement(head, buf, name, func([]byte) bool { total++; return true })
		if nth = total + nth + 1; nth <= 0 {
			return Missing
		}
	}
	last, out := nth == 0, Missing
	everyElement(head, buf, name, func(one []byte) bool {
		if nth--; nth == 0 || last {
			out = v.bytes(Str, one)
		}
		return nth != 0 || last
	})
	return out
}

func everyElement(head *h1.Head, buf []byte, name string, yield func([]byte) bool) {
	for i := range head.Headers {
		f := &head.Headers[i]
		if string(f.Name.In(buf)) != name {
			continue
		}
		for rest, more := f.Value.In(buf), true; more; {
			var one []byte
			one, rest, more = h1.CutElement(rest)
			if !yield(bytes.TrimSpace(one)) {
				return
			}
		}
	}
}

// addresses is a fetch of the elements that are addresses.
func (s side) addresses() Kind {
	k := s.elements(false)
	inner := k.Make
	k.Type = Addr
	k.Make = func(a *Arguments) (Get, error) {
		get, err := inner(a)
		return func(in *Input, v *Value) Outcome {
			for {
				if out := get(in, v); out != Found {
					return out
				}
				if a, rest, ok := cutIPv4(v.Str); ok && (len(rest) == 0 || rest[0] == ':') {
					return v.address(a)
				}
				if a, ok := readAddr(v.Str); ok {
					return v.address(a)
				}
				if !in.cursor.more {
					return Missing
				}
			}
		}, err
	}
	return k
}

// lines is a fetch of whole lines of a header.
func (s side) lines() Kind {
	return Kind{Type: Str, Needs: s.needs, Several: true, Args: "?si", Make: func(a *Arguments) (Get, error) {
		name, nth := strings.ToLower(a.at(0)), int(a.int(1, 0))
		return func(in *Input, v *Value) Outcome {
			head, buf := s.head(in)
			if head == nil {
				return Missing
			}
			c := &in.cursor
			if c.walking && nth == 0 {
				for ; c.line < len(head.Headers); c.line++ {
					if f := &head.Headers[c.line]; string(f.Name.In(buf)) == name {
						c.line, c.more = c.line+1, true
						return v.bytes(Str, f.Value.In(buf))
					}
				}
				c.more = false
				return Missing
			}
			i, step, left := 0, 1, nth
			if nth <= 0 {
				i, step, left = len(head.Headers)-1, -1, max(-nth, 1)
			}
			for ; i >= 0 && i < len(head.Headers); i += step {
				if f := &head.Headers[i]; string(f.Name.In(buf)) == name {
					if left--; left == 0 {
						return v.bytes(Str, f.Value.In(buf))
					}
				}
			}
			return Missing
		}, nil
	}}
}

func (s side) lineCount() Kind {
	return Kind{Type: Int, Needs: s.needs, Args: "?s", Make: func(a *Arguments) (Get, error) {
		name := strings.ToLower(a.at(0))
		return func(in *Input, v *Value) Outcome {
			head, buf := s.head(in)
			if head == nil {
				return Missing
			}
			n := int64(0)
			for i := range head.Headers {
				if name == "" || string(head.Headers[i].Name.In(buf)) == name {
					n++
				}
			}
			return v.whole(n)
		}, nil
	}}
}

// written is a fetch of what is made of all headers, each put behind those
// before it, and an end.
func (s side) written(t Type, end string, put func(b, name, value []byte) []byte) Kind {
	return Kind{Type: t, Needs: s.needs, Make: plain(func(in *Input, v *Value) Outcome {
		head, buf := s.head(in)
		if head == nil {
			return Missing
		}
		b := in.room()
		for i := range head.Headers {
			f := &head.Headers[i]
			b = put(b, f.Name.In(buf), f.Value.In(buf))
		}
		return v.bytes(t, in.keep(append(b, end...)))
	})}
}

func (s side) names() Kind {
	return Kind{Type: Str, Needs: s.needs, Args: "?s", Make: func(a *Arguments) (Get, error) {
		between := ","
		if a.has(0) {
			between = a.at(0)
		}
		all, err := s.written(Str, "", func(b, name, _ []byte) []byte {
			return append(append(b, name...), between...)
		}).Make(a)
		return func(in *Input, v *Value) Outcome {
			out := all(in, v)
			if out == Found {
				v.Str = bytes.TrimSuffix(v.Str, []byte(between))
			}
			return out
		}, err
	}}
}

func (s side) all() Kind {
	return s.written(Bin, "\r\n", func(b, name, value []byte) []byte {
		return append(append(append(append(b, name...), ": "...), value...), "\r\n"...)
	})
}

func (s side) packed() Kind {
	return s.written(Bin, "\x00\x00", func(b, name, value []byte) []byte {
		return appendPacked(appendPacked(b, name), value)
	})
}

// appendPacked writes a text behind its length, as SPOP does: lengths from 240
// on go over several bytes.
func appendPacked(b, text []byte) []byte {
	n := len(text)
	if n < 240 {
		return append(append(b, byte(n)), text...)
	}
	b = append(b, byte(n)|0xf0)
	for n = (n - 240) >> 4; n >= 128; n = (n - 128) >> 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(append(b, byte(n)), text...)
}

// cookies is a fetch of the cookies of a name (RFC 6265 section 4.2.1). A list
// may be cut by commas too, and the attributes of set-cookie count as cookies,
// as HAProxy reads them.
func cookies(s side, header string) Kind {
	return Kind{Type: Str, Needs: s.needs, Several: true, Args: "?s", Make: func(a *Arguments) (Get, error) {
		name := []byte(a.at(0))
		next := func(v *Value, head *h1.Head, buf []byte, c *cursor) Outcome {
			for ; c.line < len(head.Headers); c.line, c.from = c.line+1, 0 {
				f := &head.Headers[c.line]
				if string(f.Name.In(buf)) != header {
					continue
				}
				value := f.Value.In(buf)
				if len(value) <= len(name)+1 { // an empty cookie alone is none, as in HAProxy
					continue
				}
				for c.from < len(value) {
					one := value[c.from:]
					if end := bytes.IndexAny(one, ";,"); end >= 0 {
						one = one[:end]
					}
					c.from += len(one) + 1
					is, text, ok := bytes.Cut(one, []byte("="))
					if ok && (len(name) == 0 || bytes.Equal(bytes.TrimSpace(is), name)) {
						c.more = true
						return v.bytes(Str, bytes.TrimSpace(text))
					}
				}
			}
			c.more = false
			return Missing
		}
		return func(in *Input, v *Value) Outcome {
			head, buf := s.head(in)
			if head == nil {
				return Missing
			}
			if in.cursor.walking {
				return next(v, head, buf, &in.cursor)
			}
			out := Missing // v is the last that was found
			for next(v, head, buf, &in.cursor) == Found {
				if out = Found; len(name) == 0 {
					break
				}
			}
			in.cursor = cursor{}
			return out
		}, nil
	}}
}

// parameters is a fetch of the parameters of a name, in a text or else in the
// query of the target, which begins behind the character of the second
// argument. One value alone is the first.
func parameters(t Type, text func(in *Input) ([]byte, bool), args Args) Kind {
	return headed(Kind{Type: t, Several: true, Args: args, Make: func(a *Arguments) (Get, error) {
		name, begin := []byte(a.at(0)), byte('?')
		if a.has(1) {
			begin = a.at(1)[0]
		}
		query := func(in *Input) ([]byte, bool) {
			if in.Head == nil {
				return nil, false
			}
			target := in.Head.Target.In(in.Buf)
			i := bytes.IndexByte(target, begin)
			if i < 0 {
				return nil, false
			}
			return target[i+1:], true
		}
		if text != nil {
			query = text
		}
		return func(in *Input, v *Value) Outcome {
			q, ok := query(in)
			c := &in.cursor
			for ok && c.from <= len(q) {
				one := q[c.from:]
				if end := bytes.IndexAny(one, "&;?"); end >= 0 {
					one = one[:end]
				}
				c.from += len(one) + 1
				if is, text, has := bytes.Cut(one, []byte("=")); has && (len(name) == 0 || bytes.Equal(is, name)) {
					c.more = true
					return v.bytes(t, text)
				}
			}
			c.more = false
			return Missing
		}, nil
	}})
}
