package script

import (
	"testing"

	"herald/proxy/check"
)

// FuzzAnswers asks that whatever a server says, in two segments, every check
// comes to a verdict without a panic, and asks for no more than the end.
func FuzzAnswers(f *testing.F) {
	scripts := []*Script{MySQL("u", false), MySQL("", false), PgSQL("u"), Redis(), SMTP("HELO", "x"), LDAP(), SSLHello(), SPOP(), Agent("x"),
		httpExpect(&Expect{Match: StatusList, Status: []Range{{200, 399}}, MinRecv: -1}), httpExpect(&Expect{Match: String, Pattern: []byte("x"), MinRecv: -1}),
		finished(&Script{Kind: TCP, Steps: []Step{{Action: ActExpect, Expect: &Expect{Match: String, Pattern: []byte("x"), MinRecv: -1}}}})}
	for _, seed := range []string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "\x30\x84\x00\x00\x00\x10\x02\x01\x01\x61\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00",
		"220 a\r\n250-b\r\n250 c\r\n221 d\r\n", "+PONG\r\n", "\x00\x00\x00\x35\x65\x00\x00\x00\x01\x00\x00\x07version\x08\x032.0\x0emax-frame-size\x03\xfc\xf0\x06\x0ccapabilities\x08\x00",
		"R\x00\x00\x00\x08\x00\x00\x00\x00", "\x04\x00\x00\x00\x0a5.5\x00\x01\x00\x00\x00\xfe"} {
		for i := range scripts {
			f.Add(uint8(i), seed, 3)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, answer string, cut int) {
		if cut < 0 || cut > len(answer) {
			cut = len(answer)
		}
		s := scripts[int(which)%len(scripts)]
		m := Start(s, &World{}, 16384)
		parts := []string{answer[:cut], answer[cut:]}
		for turns := 0; ; turns++ {
			if turns > 100 {
				t.Fatalf("script %d does not end after %q", which, answer)
			}
			switch w := m.Next(); w.Kind {
			case Dial:
				m.Dialed(false)
			case Write:
				m.Written()
			case Read:
				if len(parts) == 0 {
					m.Ended()
					continue
				}
				if parts[0] != "" {
					m.Received([]byte(parts[0]))
				}
				parts = parts[1:]
			default:
				if w.Result == (check.Result{Status: check.UNK}) {
					t.Fatalf("no verdict on %q", answer)
				}
				return
			}
		}
	})
}

// FuzzTexts asks that no expression or format of the configuration makes the
// compiler or what it compiled panic.
func FuzzTexts(f *testing.F) {
	for _, seed := range []string{"%[var(check.x),upper]", "a%H%%b%{+Q}s", "int(3),add(4),div(0)", "%[", "%{", "str(a,b),word(2,.)", "res.payload(1,2)", "bin(0)"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, http bool) {
		e := &env{World: &World{}, data: []byte("abc")}
		if http {
			e.http = &response{}
		}
		if x, err := CompileText(text, http); err == nil {
			x.append(nil, e)
		}
		if x, err := CompileExpr(text, http); err == nil {
			x.eval(e)
		}
	})
}
