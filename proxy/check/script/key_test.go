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
	ok := Expect{Match: StatusList, Status: []Range{{200, 200}}, MinRecv: -1}
	all := map[string]string{}
	for name, s := range map[string]*Script{
		"get a": get("/a", ok), "get b": get("/b", ok), "other status": get("/a", Expect{Match: StatusList, Status: []Range{{204, 204}}, MinRecv: -1}),
		"not": get("/a", Expect{Match: StatusList, Not: true, Status: []Range{{200, 200}}, MinRecv: -1}), "mysql a": MySQL("a", false), "mysql b": MySQL("b", false), "mysql old": MySQL("a", true),
		"redis": Redis(), "smtp": SMTP("HELO", "x"), "ldap": LDAP(), "pgsql": PgSQL("a"), "spop": SPOP(), "plain": finished(&Script{}), "tcp": finished(&Script{Kind: TCP}),
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
		"a name":  get("/%[srv_name]", ok),
		"a state": {Kind: HTTP, SendState: true},
		"404":     {Kind: HTTP, Disable404: true},
	} {
		if _, can := s.Key(); can {
			t.Errorf("%s: want no key", name)
		}
	}
}
