package proxyproto

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"

	oracle "github.com/pires/go-proxyproto"
	"pgregory.net/rapid"
)

const sig = "\r\n\r\n\x00\r\nQUIT\n"

var (
	four = "\x09\x09\x09\x09\x08\x08\x08\x08\x00\x05\x00\x06"
	both = "9.9.9.9:5 8.8.8.8:6"
)

// Every error here is what HAProxy 2.6.12 logged for the same bytes, but
// where the comment says otherwise.
func TestHeadersAreReadAsHAProxyDoes(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     string // "SOURCE DESTINATION", "" when it tells nothing
		err      error
	}{
		{"TCP4", "PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222\r\n", "1.2.3.4:1111 5.6.7.8:2222", nil},
		{"TCP6", "PROXY TCP6 ::1 ::2 1 2\r\n", "[::1]:1 [::2]:2", nil},
		{"TCP6 mapped", "PROXY TCP6 ::ffff:1.2.3.4 ::ffff:5.6.7.8 1 2\r\n", "1.2.3.4:1 5.6.7.8:2", nil},
		{"UNKNOWN", "PROXY UNKNOWN\r\n", "", nil},
		{"UNKNOWN and more", "PROXY UNKNOWN ffff:: 1 2 3\r\n", "", nil}, // HAProxy refuses; the text says to ignore it
		{"another protocol", "PROXY TCP5 1.2.3.4 5.6.7.8 1111 22\r\n", "", ErrProtocol},
		{"no CR", "PROXY TCP4 1.2.3.4 5.6.7.8 1111 22\n", "", ErrInvalid},
		{"a port too large", "PROXY TCP4 1.2.3.4 5.6.7.8 1111 99999\r\n", "", ErrInvalid}, // HAProxy takes it modulo 65536
		{"a port with zeros", "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n", "", ErrInvalid},
		{"no port", "PROXY TCP4 1.2.3.4 5.6.7.8 \r\n", "", ErrInvalid},
		{"an empty port", "PROXY TCP4 1.2.3.4 5.6.7.8 1 \r\n", "", ErrInvalid},
		{"the other family", "PROXY TCP4 ::1 ::2 1 2\r\n", "", ErrInvalid},
		{"two spaces", "PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n", "", ErrInvalid},
		{"a request", "GET / HTTP/1.1\r\n", "", ErrNoHeader},
		{"the name continued", "PROXYX TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "", ErrInvalid},
		{"cut", "PROXY TCP4 1.2.3.4", "", ErrIncomplete},
		{"nothing", "", "", ErrIncomplete},
		{"too long", "PROXY UNKNOWN " + strings.Repeat("x", MaxV1), "", ErrInvalid},
		{"as long as may be", "PROXY UNKNOWN " + strings.Repeat("x", MaxV1-16) + "\r\n", "", nil},
		{"v2", sig + "\x21\x11\x00\x0c" + four, both, nil},
		{"v2 TCP6", sig + "\x21\x21\x00\x24" + strings.Repeat("\x00", 15) + "\x01" + strings.Repeat("\x00", 15) + "\x02" + "\x00\x05\x00\x06", "[::1]:5 [::2]:6", nil},
		{"v2 LOCAL", sig + "\x20\x00\x00\x00", "", nil},
		{"v2 LOCAL with addresses", sig + "\x20\x11\x00\x0c" + four, "", nil},
		{"v2 without family", sig + "\x21\x00\x00\x04abcd", "", nil}, // HAProxy refuses; the text says to skip it
		{"v2 unix", sig + "\x21\x31\x00\xd8" + strings.Repeat("\x00", 216), "", nil},
		{"v2 UDP", sig + "\x21\x12\x00\x0c" + four, "", ErrInvalid},
		{"v2 too short", sig + "\x21\x11\x00\x04abcd", "", ErrInvalid},
		{"v2 another command", sig + "\x22\x11\x00\x0c" + four, "", ErrInvalid},
		{"v3", sig + "\x31\x11\x00\x0c" + four, "", ErrInvalid}, // HAProxy sees no header in it
		{"v2 with a field", sig + "\x21\x11\x00\x10" + four + "\x04\x00\x01x", both, nil},
		{"v2, a good checksum", sig + "\x21\x11\x00\x1e\x7f\x00\x00\x01\x7f\x00\x00\x01\xdc\xa8\x1e\xab\x03\x00\x04Du\xc4^\x05\x00\x00 \x00\x05\x00\x00\x00\x00\x00", "127.0.0.1:56488 127.0.0.1:7851", nil},
		{"v2, a bad checksum", sig + "\x21\x11\x00\x13" + four + "\x03\x00\x04abcd", "", ErrInvalid},
		{"v2 cut", sig + "\x21\x11\x00\x0c\x09", "", ErrIncomplete},
		{"v2 signature cut", sig[:7], "", ErrIncomplete},
		{"v2 signature wrong", "\r\n\r\n\x00\r\nQUIT\r", "", ErrNoHeader},
		{"v2 too long", sig + "\x20\x00\xff\xff", "", ErrInvalid},
	} {
		h, n, err := Parse([]byte(tc.in + "GET /"))
		if errors.Is(tc.err, ErrIncomplete) {
			h, n, err = Parse([]byte(tc.in))
		}
		if !errors.Is(err, tc.err) {
			t.Errorf("%s: error %v, want %v", tc.name, err, tc.err)
			continue
		}
		got := ""
		if h.Proxied {
			got = h.Source.String() + " " + h.Destination.String()
		}
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
		if err == nil && n != len(tc.in) {
			t.Errorf("%s: %d bytes, want %d", tc.name, n, len(tc.in))
		}
	}
}

// A field whose length reaches behind the header is refused, wherever it
// lies.
func TestFieldLengthBeyondTheHeader(t *testing.T) {
	for _, fields := range []string{"\x04\x00\x09x", "\x04\xff\xff", "\x04\x00", "\x04", "\x04\x00\x00\x20\x00\x01", "\x03\x00\x05abcde", "\x03\x00\x00"} {
		in := sig + "\x21\x11\x00" + string(rune(len(four)+len(fields))) + four + fields
		if _, _, err := Parse([]byte(in)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: error %v", fields, err)
		}
	}
	if _, ok := Find([]byte("\x04\x00\x09x"), TypeNoop); ok {
		t.Error("found a field longer than what there is")
	}
}

func TestWrittenHeaders(t *testing.T) {
	a, b := netip.MustParseAddrPort("1.2.3.4:1111"), netip.MustParseAddrPort("5.6.7.8:2222")
	six := netip.MustParseAddrPort("[2001:db8::1%eth0]:7")
	for want, got := range map[string][]byte{
		"PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222\r\n":                               AppendV1(nil, a, b),
		"PROXY TCP6 2001:db8::1 ::ffff:5.6.7.8 7 2222\r\n":                       AppendV1(nil, six, b),
		"PROXY UNKNOWN\r\n":                                                      AppendV1(nil, netip.AddrPort{}, b),
		sig + "\x20\x00\x00\x00":                                                 AppendLocal(nil),
		sig + "\x20\x00\x00\x00 ":                                                append(AppendV2(nil, a, netip.AddrPort{}, nil), ' '),
		sig + "\x21\x11\x00\x0c\x01\x02\x03\x04\x05\x06\x07\x08\x04\x57\x08\xae": AppendV2(nil, a, b, nil),
	} {
		if string(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// The bytes HAProxy 2.6.12 sent for a client with a certificate.
func TestFieldsAreThoseOfHAProxy(t *testing.T) {
	const seen = "0d0a0d0a000d0a515549540a211100817f0000017f00000188201eac030004a298cd190100086874" +
		"74702f312e310200057777772e780500002000550700000000210007544c5376312e3322000e636c69656e742e6578616d706c65" +
		"2500054543323536240011" + "65636473612d776974682d534841323536230016544c535f4145535f3235365f47434d5f534841333834"
	tlvs := AppendTLV(nil, TypeCRC32C, make([]byte, 4))
	tlvs = AppendTLV(tlvs, TypeALPN, []byte("http/1.1"))
	tlvs = AppendTLV(tlvs, TypeAuthority, []byte("www.x"))
	tlvs = AppendTLV(tlvs, TypeUniqueID, nil)
	tlvs = AppendSSL(tlvs, SSL{Encrypted: true, ConnCert: true, Version: "TLSv1.3", CommonName: "client.example", KeyAlg: "EC256",
		SigAlg: "ecdsa-with-SHA256", Cipher: "TLS_AES_256_GCM_SHA384"})
	got := AppendV2([]byte("before"), netip.MustParseAddrPort("127.0.0.1:34848"), netip.MustParseAddrPort("127.0.0.1:7852"), tlvs)
	if h := hex.EncodeToString(got[6:]); h != seen {
		t.Errorf("got  %s\nwant %s", h, seen)
	}
	if _, _, err := Parse(got[6:]); err != nil {
		t.Errorf("our own header: %v", err)
	}
	none := AppendSSL(nil, SSL{})
	if want := "\x20\x00\x05\x00\x00\x00\x00\x00"; string(none) != want {
		t.Errorf("without TLS: got %q, want %q", none, want)
	}
}

// What another implementation reads of our headers is what was written, and
// what it writes is read.
func TestAnotherImplementationAgrees(t *testing.T) {
	addr := func(t *rapid.T, name string, six bool) netip.AddrPort {
		var a netip.Addr
		if six {
			a = netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, name)))
		} else {
			a = netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, name)))
		}
		return netip.AddrPortFrom(a, rapid.Uint16().Draw(t, name+" port"))
	}
	rapid.Check(t, func(t *rapid.T) {
		six := rapid.Bool().Draw(t, "six")
		src, dst := addr(t, "source", six), addr(t, "destination", six)
		if src.Addr().Is4In6() || dst.Addr().Is4In6() {
			t.Skip("written as IPv4 here")
		}
		for _, wire := range [][]byte{AppendV1(nil, src, dst), AppendV2(nil, src, dst, AppendTLV(nil, TypeCRC32C, make([]byte, 4)))} {
			o, err := oracle.Read(bufio.NewReader(bytes.NewReader(wire)))
			if err != nil {
				t.Fatalf("%q: %v", wire, err)
			}
			if got := o.SourceAddr.String() + " " + o.DestinationAddr.String(); got != src.String()+" "+dst.String() {
				t.Fatalf("%q: read as %s", wire, got)
			}
			theirs, err := o.Format()
			if err != nil {
				t.Fatal(err)
			}
			h, n, err := Parse(theirs)
			if err != nil || n != len(theirs) || h.Source != src || h.Destination != dst {
				t.Fatalf("%q: got %+v, %d, %v", theirs, h, n, err)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222\r\nGET"))
	f.Add([]byte("PROXY UNKNOWN\r\n"))
	f.Add([]byte(sig + "\x21\x11\x00\x13" + four + "\x03\x00\x04abcd"))
	f.Add([]byte(sig + "\x21\x31\x00\xd8"))
	f.Fuzz(func(t *testing.T, p []byte) {
		h, n, err := Parse(p)
		if err != nil {
			if n != 0 || h.Proxied {
				t.Fatalf("%v with %+v, %d", err, h, n)
			}
			return
		}
		if n > len(p) || h.Proxied && (!h.Source.IsValid() || !h.Destination.IsValid()) {
			t.Fatalf("%+v, %d of %d", h, n, len(p))
		}
		for i := range n { // a header is not whole before its end
			if _, _, err := Parse(p[:i]); !errors.Is(err, ErrIncomplete) {
				t.Fatalf("the first %d of %d bytes: %v", i, n, err)
			}
		}
	})
}
