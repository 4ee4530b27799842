package expr

import (
	"testing"
)

// What HAProxy refuses is refused, and what would never do what it says:
// offsets before the beginning, digests nobody has.
func TestArgumentsThatWillNotDoAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"str(a),add_item(-)":          "add_item takes 2 to 3 arguments, not 1",
		"str(a),add_item(-,x)":        `add_item: variable "x": variables are not supported yet`,
		"str(a),be2dec(.)":            "be2dec takes 2 to 3 arguments, not 1",
		"str(a),be2dec(.,0)":          "be2dec: 0 bytes are not 1 to 8",
		"str(a),be2dec(.,9)":          "be2dec: 9 bytes are not 1 to 8",
		"str(a),be2hex(:)":            "be2hex: expects a number of bytes behind the text between",
		"str(a),be2hex(:,0)":          "be2hex: 0 bytes are not 1 to 1048576",
		"str(a),bytes(-1)":            "bytes: an offset or length is negative",
		"str(a),bytes(0,-1)":          "bytes: an offset or length is negative",
		"str(a),bytes(x)":             `bytes: argument 1: "x" is not an integer`,
		"str(a),concat(-,x)":          `concat: variable "x": variables are not supported yet`,
		"str(a),concat(-,txn.x)":      `concat: variable "txn.x": variables are not supported yet`,
		"str(a),digest(md4)":          `digest: "md4" is not a digest that is here: md5, sha1, sha224, sha256, sha384 or sha512`,
		"str(a),hmac(sha256,!)":       `hmac: the key "!" is not base64`,
		"str(a),hmac(nope,YQ==)":      `hmac: "nope" is not a digest that is here: md5, sha1, sha224, sha256, sha384 or sha512`,
		"str(a),field(0,/)":           "field: counts from 1 or -1, and expects characters between the parts",
		"str(a),field(1)":             "field takes 2 to 3 arguments, not 1",
		"str(a),word(1,/,-1)":         "word: counts from 1 or -1, and expects characters between the parts",
		"str(a),word(0,/)":            "word: counts from 1 or -1, and expects characters between the parts",
		"str(a),regsub(a,b,x)":        `regsub: flag "x" is not g or i`,
		"str(a),url_enc(path)":        `url_enc: "path" is not query`,
		"str(a),ltrim(é)":             `ltrim: "é": characters are single bytes here`,
		"str(a),sha2(100)":            `sha2: "sha100" is not a digest that is here: md5, sha1, sha224, sha256, sha384 or sha512`,
		"str(a),sha2(x)":              `sha2: argument 1: "x" is not an integer`,
		"str(a),iif(a)":               "iif takes 2 arguments, not 1",
		"int(1),http_date(0,x)":       `http_date: "x" is not s, ms or us`,
		"int(1),add(x)":               `add: argument 1: "x" is not an integer`,
		"int(1),add(txn.x)":           `add: argument 1: variable "txn.x": variables are not supported yet`,
		"int(1),add()":                "add takes 1 argument, not 0",
		"int(x)":                      `int: argument 1: "x" is not an integer`,
		"int()":                       "int takes 1 argument, not 0",
		"bool(maybe)":                 `bool: "maybe" is not true, false, 1 or 0`,
		"bin(0)":                      `bin: "0" is not hexadecimal`,
		"bin(zz)":                     `bin: "zz" is not hexadecimal`,
		"ipv4(x)":                     `ipv4: argument 1: "x" is not an address of that kind`,
		"ipv4(::1)":                   `ipv4: argument 1: "::1" is not an address of that kind`,
		"ipv6(1.2.3.4)":               `ipv6: argument 1: "1.2.3.4" is not an address of that kind`,
		"meth()":                      "meth: expects the name of a method",
		"uuid(3)":                     "uuid: version 3 is not there, only 4",
		"date(0,min)":                 `date: "min" is not s, ms or us`,
		"date(x)":                     `date: argument 1: "x" is not an integer`,
		"fc_rtt(s)":                   `fc_rtt: "s" is not ms or us`,
		"capture.req.hdr(-1)":         "capture.req.hdr: -1 is less than 0",
		"capture.req.hdr(x)":          `capture.req.hdr: argument 1: "x" is not an integer`,
		"req.payload(-1,2)":           "req.payload: an offset or length is beyond what there can be",
		"req.payload(0)":              "req.payload takes 2 arguments, not 1",
		"req.payload(0,2,3)":          "req.payload takes 2 arguments, not 3",
		"req.payload(2000000,1)":      "req.payload: an offset or length is beyond what there can be",
		"req.payload_lv(0,0)":         "req.payload_lv: an offset or length is beyond what there can be",
		"req.payload_lv(0,9)":         "req.payload_lv: an offset or length is beyond what there can be",
		"req.payload_lv(0,2,x)":       `req.payload_lv: "x" is not an offset`,
		"req.payload_lv(0,2,-9)":      "req.payload_lv: an offset or length is beyond what there can be",
		"ssl_c_s_dn(CN,1,rfc)":        `ssl_c_s_dn: "rfc" is not rfc2253`,
		"ssl_c_s_dn(CN,x)":            `ssl_c_s_dn: argument 2: "x" is not an integer`,
		"src,ipmask(33)":              "ipmask: argument 1: a mask has 0 to 32 bits, not 33",
		"src,ipmask(24,129)":          "ipmask: argument 2: a mask has 0 to 128 bits, not 129",
		"src,ipmask(x)":               `ipmask: argument 1: "x" is not a mask`,
		"src,ipmask(24,255.0.0.0)":    `ipmask: argument 2: "255.0.0.0" is not a mask`,
		"src,ipmask()":                "ipmask takes 1 to 2 arguments, not 0",
		"urlp(a,b,c)":                 "urlp takes 0 to 2 arguments, not 3",
		"req.cook(a,b)":               "req.cook takes 0 to 1 argument, not 2",
		"str(a),upper(x)":             "upper takes no argument",
		"str(a),length(1)":            "length takes no argument",
		"path(x)":                     "path takes no argument",
		"method(x)":                   "method takes no argument",
		"nbsrv(a,b)":                  "nbsrv takes 0 to 1 argument, not 2",
		"str(a),xxh32(x)":             `xxh32: argument 1: "x" is not an integer`,
		"str(a),json(utf9)":           `json: "utf9" is not ascii, utf8, utf8s, utf8p or utf8ps`,
		"str(a),language(a,b,c)":      "language takes 1 to 2 arguments, not 3",
		"int(1),ltime(%Y,x)":          `ltime: argument 2: "x" is not an integer`,
		"rand(x)":                     `rand: argument 1: "x" is not an integer`,
		"rand(100,2)":                 "rand takes 0 to 1 argument, not 2",
		"always_true(x)":              "always_true takes no argument",
		"req.hdr(a,x)":                `req.hdr: argument 2: "x" is not an integer`,
		"req.hdr(a,1,2)":              "req.hdr takes 0 to 2 arguments, not 3",
		"req.body_param(a,b)":         "req.body_param takes 0 to 1 argument, not 2",
		"srv_conn()":                  "srv_conn takes 1 argument, not 0",
		"srv_conn":                    "srv_conn takes 1 argument, not 0",
		"be_conn(x,y)":                "be_conn takes 0 to 1 argument, not 2",
		"str(a),add_item(-,,)":        "add_item: expects a variable or a text to add",
		"hdr(a,0,1)":                  "hdr takes 0 to 2 arguments, not 3",
		"payload(2000000,1)":          "payload: an offset or length is beyond what there can be",
		"sc0_conn_cnt":                `fetch "sc0_conn_cnt" is known to HAProxy but not supported yet`,
		"src_conn_rate":               `fetch "src_conn_rate" is known to HAProxy but not supported yet`,
		"var(txn.x)":                  `fetch "var" is known to HAProxy but not supported yet`,
		"path,set-var(txn.x)":         `converter "set-var" is known to HAProxy but not supported yet`,
		"path,lower(":                 `"lower(": expected ")" at the end`,
		"ssl_fc_npn":                  "ssl_fc_npn is known to HAProxy and not available here: crypto/tls speaks ALPN alone",
		"path,map(f)":                 `map: file "f": no files can be read here`,
		"path,map_str_int(f,x)":       `map_str_int: "x" is not an integer`,
		"path,map_str_ip(f,x)":        `map_str_ip: "x" is not an address`,
		`hdr(a,"b)`:                   `"hdr(a,\"b)": expected ")" at the end`,
		"hdr(a,99999999999999999999)": `hdr: argument 2: "99999999999999999999" is not an integer`,
	} {
		if _, err := Parse(text); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// CVE-2025-11230: a number in a client's JSON took all of the processor. What
// would read JSON or a token is refused by name until it is built with a bound.
func TestNobodysJSONIsRead(t *testing.T) {
	for _, name := range []string{"json_query", "jwt_header_query", "jwt_payload_query", "jwt_verify"} {
		text, want := "req.body,"+name+"(a)", "converter \""+name+"\" is known to HAProxy but not supported yet"
		if _, err := Parse(text); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// Patterns that the way of matching cannot read are named, and those of a file
// with the file.
func TestPatternsThatWillNotDoAreNamed(t *testing.T) {
	files := Loader{Read: func(name string) ([]byte, error) { return []byte("# none\n\n  \nx y\n"), nil }}
	for _, c := range []struct{ fetch, method, pattern, file, want string }{
		{"dst_port", "", "x", "", `"x" is not an integer`},
		{"dst_port", "", "1:x", "", `"1:x" is not a range of integers`},
		{"dst_port", "", ":", "", `":" is not a range of integers`},
		{"req.ssl_ver", "", "3.x", "", `"3.x" is not an integer`},
		{"req.ssl_ver", "", "x.1", "", `"x.1" is not an integer`},
		{"src", "", "10.0.0.0/255.0.0.x", "", `"10.0.0.0/255.0.0.x" is not ADDRESS[/MASK]; names are not resolved`},
		{"src", "", "::/255.0.0.0", "", `"::/255.0.0.0" is not ADDRESS[/MASK]; names are not resolved`},
		{"path", "reg", "(", "", "regular expression \"(\": error parsing regexp: missing closing ): `(`"},
		{"path", "bin", "0g", "", `"0g" is not hexadecimal`},
		{"path", "stir", "a", "", "-m stir is not one of found, bool, int, ip, bin, len, str, beg, sub, reg, end, dom, dir"},
		{"bin(00)", "", "a", "", "bin is binary: say how to compare it with -m"},
		{"bin(00)", "int", "1", "", "bin is of type binary, which -m int cannot compare"},
		{"ssl_fc", "ip", "::1", "", "ssl_fc is of type boolean, which -m ip cannot compare"},
		{"dst_port", "", "", "ports.lst", `file ports.lst: "x y" is not an integer`},
		{"path", "reg", "", "none.lst", ""},
	} {
		f, err := Parse(c.fetch)
		if err != nil {
			t.Fatal(err)
		}
		l := List{File: c.file}
		if c.file == "" {
			l.Words = []string{c.pattern}
		}
		switch _, err = files.Compile(f, c.method, []List{l}); {
		case c.want == "" && err != nil, c.want != "" && (err == nil || err.Error() != c.want):
			t.Errorf("%s -m %s %s%s: %v, want %s", c.fetch, c.method, c.pattern, c.file, err, c.want)
		}
	}
}
