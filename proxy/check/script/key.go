package script

import (
	"fmt"
	"strings"
)

// Key names what the script does: two scripts with one key mean the same on
// any server of any backend. False says that it depends on who asks: on the
// state of the server, a variable, or a name.
func (s *Script) Key() (string, bool) {
	if s.SendState || s.Disable404 {
		return "", false
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d %q", s.Kind, s.Name)
	for i := range s.Steps {
		st := &s.Steps[i]
		fmt.Fprintf(&b, "\n%d %d %q", st.Action, st.Number, st.Comment)
		ok := true
		switch st.Action {
		case ActConnect:
			ok = st.Connect.key(&b)
		case ActSend:
			ok = st.Send.key(&b)
		case ActExpect:
			ok = st.Expect.key(&b)
		case ActSet, ActUnset:
			ok = false
		}
		if !ok {
			return "", false
		}
	}
	return b.String(), true
}

func (c *Connect) key(b *strings.Builder) bool {
	fmt.Fprintf(b, " %v %v %q %q %v %q %q %v %v %q", c.Socks4, c.Default, c.PortText, c.Addr, c.TLS, c.SNI, c.ALPN, c.SendProxy, c.Linger, c.Proto)
	return c.Port == nil || c.PortText != ""
}

func (x *Send) key(b *strings.Builder) bool {
	texts := []*Text{x.Data}
	fmt.Fprintf(b, " %v", x.Hex)
	if r := x.HTTP; r != nil {
		fmt.Fprintf(b, " %q %q", r.Method, r.Version)
		texts = append(texts, r.URI, r.Body)
		for _, h := range r.Headers {
			fmt.Fprintf(b, " %q", h.Name)
			texts = append(texts, h.Text)
		}
	}
	return constants(b, texts...)
}

func (x *Expect) key(b *strings.Builder) bool {
	fmt.Fprintf(b, " %d %v %q %v %v %d %d %d %d", x.Match, x.Not, x.Pattern, x.Regex, x.Status, x.MinRecv, x.OK, x.Fail, x.Timeout)
	texts := []*Text{x.Text, x.OnSuccess, x.OnError, x.Name.Text}
	fmt.Fprintf(b, " %q %v", x.Name.Method, x.Name.Regex)
	if x.Value != nil {
		fmt.Fprintf(b, " %q %v", x.Value.Method, x.Value.Regex)
		texts = append(texts, x.Value.Text)
	}
	return x.Code == nil && constants(b, texts...)
}

// constants writes texts that do not vary.
func constants(b *strings.Builder, texts ...*Text) bool {
	for _, t := range texts {
		c, ok := t.Constant()
		if !ok {
			return false
		}
		fmt.Fprintf(b, " %v %q", t != nil, c)
	}
	return true
}
