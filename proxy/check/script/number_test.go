package script

import (
	"math/big"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// The values are those that HAProxy 2.6.12 sent with tcp-check send-lf.
func TestNumbersAreThoseOfHAProxy(t *testing.T) {
	e := &env{World: &World{}}
	for text, want := range map[string]string{
		"int(+5)": "5", "int(007)": "7", "int(-3)": "-3", "int(-)": "0", "int(99999999999999999999)": "9223372036854775807",
		"int(9223372036854775807),add(1)": "9223372036854775807", "int(-9223372036854775808),sub(1)": "-9223372036854775808",
		"int(9223372036854775807),mul(2)": "9223372036854775807", "int(9223372036854775807),mul(-2)": "-9223372036854775808",
		"int(-9223372036854775808),div(-1)": "9223372036854775807", "int(7),div(0)": "9223372036854775807", "int(7),div(-1)": "-7", "int(-7),div(2)": "-3",
		"int(7),mod(0)": "0", "int(7),mod(-1)": "0", "int(-7),mod(3)": "-1", "int(6),and(3)": "2", "int(6),or(9)": "15", "int(5),add(99999999999999999999)": "9223372036854775807",
		"int(-1),sub(-9223372036854775808)": "9223372036854775807", "int(0),sub(-9223372036854775808)": "9223372036854775807", "str(),add(1)": "-", "str(12),add(1)": "13", "str(12abc),add(1)": "13", "str( 12),add(1)": "1", "str(abc),add(1)": "1", "str(-),add(1)": "1",
		"str(),not": "-", "str(0),not": "1", "str(a),not": "1", "str(1),not": "0", "int(0),not": "1", "int(5),not": "0", "always_true,not": "0", "always_true,add(4)": "5",
		"bool(0)": "0", "bool(TRUE)": "1", "bool(false)": "0", "ipv4(1.2.3.4)": "1.2.3.4", "ipv6(0:0::1)": "::1",
		"str(aXXc),word(2,X)": "c", "str(aXXc),field(2,X)": "", "str(aXbXc),word(-2,X)": "b", "str(aXbXc),field(9,X)": "-", "str(YWJ),b64dec": "-",
	} {
		x := expr(t, text, false)
		got, ok := x.eval(e)
		if !ok {
			got = "-"
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	if got := expr(t, "str(8080/tcp)", false).number(e); got != 8080 {
		t.Errorf("a port with more behind it: got %d, want 8080", got)
	}
}

// HAProxy 2.6.12 refuses the same.
func TestExpressionsThatAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"int(0x10)": `"0x10" is not a number`, "int(1_000)": `"1_000" is not a number`, "int(1-)": `"1-" is not a number`, "int(5 )": `"5 " is not a number`, "int()": `fetch method "int" takes 1 arguments, not 0`,
		"bool(yes)": `"yes" is not true, false, 0 or 1`, "bin(616)": `"616" is not hexadecimal`, "bin(6g)": `"6g" is not hexadecimal`,
		"ipv4(01.2.3.4)": `"01.2.3.4" is not an address of this family`, "ipv4(::1)": `"::1" is not an address of this family`, "ipv6(foo)": `"foo" is not an address of this family`, "ipv6(fe80::1%lo)": `"fe80::1%lo" is not an address of this family`,
		"str(a,b)": `fetch method "str" takes 1 arguments, not 2`, "str(a": `missing ')' after "str(a"`, "str(a)b": `"b" follows ')' without a comma`,
		"int(5),add(x)": `converter "add": "x" is not a number`, "int(5),add(0x10)": `converter "add": "0x10" is not a number`, "str(a),upper(b)": `converter "upper" takes 0 arguments, not 1`,
		"str(a),field(0,X)": `converter "field": elements are counted from 1, or from the end with a minus`, "str(a),word(x,X)": `converter "word": "x" is not a number`,
		"str(a),uper": `unknown converter "uper", did you mean "upper"?`, "be_nam": `unknown fetch method "be_nam", did you mean "be_name"?`,
		"var(x)": `variable "x" does not begin with check., sess. or proc.`, "var(req.x)": `variable "req.x" does not begin with check., sess. or proc.`,
		"var(check.)": `variable "check.": a name is made of letters, digits, '.' and '_'`, "var(check.a-b)": `variable "check.a-b": a name is made of letters, digits, '.' and '_'`,
		"status": `fetch method "status" needs an http-check`,
	} {
		if _, err := CompileExpr(text, false); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
	if _, err := CompileExpr("zzzzzzzz", false); err == nil || len(err.Error()) < 100 {
		t.Errorf("a word near none: got %v, want those that are known", err)
	}
}

// The number a text begins with is cut at the ends of 64 bits.
func TestNumbersAreReadWithinTheirBits(t *testing.T) {
	lowest, highest := big.NewInt(-1<<63), big.NewInt(1<<63-1)
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		want := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		got := leading(want.String() + "x")
		if want.Cmp(lowest) < 0 {
			want = lowest
		}
		if want.Cmp(highest) > 0 {
			want = highest
		}
		if big.NewInt(got).Cmp(want) != 0 {
			t.Errorf("got %d, want %v", got, want)
		}
		if text, err := literalInt(strconv.FormatInt(a, 10)); err != nil || text != strconv.FormatInt(a, 10) {
			t.Errorf("%d in the configuration: got %s, %v", a, text, err)
		}
	})
}
