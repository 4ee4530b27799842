package script

import "testing"

func TestEqualScriptsHaveEqualKeysAndOthersDoNot(t *testing.T) {
	lf := func(s string) *Text {
		x, err := CompileText(s, true)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	get := func(uri string, x Expect) *Script {
		return finished(&Script{Kind: HTTP, Request: &Send{HTTP: &Request{Method: "GET", URI: lf(uri)}}, Steps: []Step{{Action: ActExpect, Expect: &x}}})
	}
	sends := func(x *Send) *Script { return finished(&Script{Kind: TCP, Steps: []Step{{Action: ActSend, Send: x}}}) }
	ok := Expect{Match: StatusList, Status: []Range{{200, 200}}, MinRecv: -1}
	all := map[string]string{}
	for name, s := range map[string]*Script{
		"get a": get("/a", ok), "get b": get("/b", ok), "other status": get("/a", Expect{Match: StatusList, Status: []Range{{204, 204}}, MinRecv: -1}),
		"not": get("/a", Expect{Match: StatusList, Not: true, Status: []Range{{200, 200}}, MinRecv: -1}), "mysql a": MySQL("a", false), "mysql b": MySQL("b", false), "mysql old": MySQL("a", true),
		"redis": Redis(), "smtp": SMTP("HELO", "x"), "ldap": LDAP(), "pgsql": PgSQL("a"), "spop": SPOP(),
		"text": sends(&Send{Data: lf("61")}), "hexadecimal text": sends(&Send{Data: lf("61"), Hex: true}),
		"a header": sends(&Send{HTTP: &Request{Headers: []HeaderText{{"a", lf("b")}}}}), "another header": sends(&Send{HTTP: &Request{Headers: []HeaderText{{"a", lf("c")}}}}),
		"a header expected": get("/a", Expect{Match: Header, Name: Pattern{Method: "str", Text: lf("a")}}), "its value": get("/a", Expect{Match: Header, Name: Pattern{Method: "str", Text: lf("a")}, Value: &Pattern{Method: "str", Text: lf("b")}}),
		"its beginning": get("/a", Expect{Match: Header, Name: Pattern{Method: "str", Text: lf("a")}, Value: &Pattern{Method: "beg", Text: lf("b")}}),
		"a port":        finished(&Script{Kind: TCP, Steps: []Step{{Action: ActConnect, Connect: &Connect{Port: expr(t, "int(25)", false), PortText: "25"}}}}), "plain": finished(&Script{}), "tcp": finished(&Script{Kind: TCP}),
	} {
		k, can := s.Key()
		if !can {
			t.Errorf("%s: want a key", name)
		}
		if other, dup := all[k]; dup {
			t.Errorf("%s and %s have one key", name, other)
		}
		all[k] = name
	}
	if k, _ := get("/a", ok).Key(); all[k] != "get a" {
		t.Error("the same script again: want the same key")
	}
	for name, s := range map[string]*Script{
		"a name":               get("/%[srv_name]", ok),
		"a state":              {Kind: HTTP, SendState: true},
		"404":                  {Kind: HTTP, Disable404: true},
		"a header that varies": sends(&Send{HTTP: &Request{Headers: []HeaderText{{"a", lf("%b")}}}}),
		"a variable set":       {Kind: TCP, Steps: []Step{{Action: ActSet, Variable: "proc.x", Text: lf("1")}}},
		"a variable forgotten": {Kind: TCP, Steps: []Step{{Action: ActUnset, Variable: "proc.x"}}},
		"a port that varies":   {Kind: TCP, Steps: []Step{{Action: ActConnect, Connect: &Connect{Port: expr(t, "var(proc.x)", false)}}}},
		"a value that varies":  get("/a", Expect{Match: Header, Name: Pattern{Method: "str", Text: lf("a")}, Value: &Pattern{Method: "str", Text: lf("%s")}}),
		"a code by expression": get("/a", Expect{Match: String, Pattern: []byte("a"), Code: expr(t, "int(3)", true)}),
	} {
		if _, can := s.Key(); can {
			t.Errorf("%s: want no key", name)
		}
	}
}
