package proxy

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"testing"

	oracle "github.com/pires/go-proxyproto"
	"github.com/pires/go-proxyproto/tlvparse"

	"herald/proxy/settings"
	"herald/proxy/testcert"
)

// A header comes before the TLS it speaks for, in one segment or two, and the
// server is told both the addresses and the TLS.
func TestAHeaderComesBeforeTLSAndTellsOfIt(t *testing.T) {
	told := make(chan *oracle.Header, 2)
	addr := script(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		h, err := oracle.Read(in)
		if err != nil {
			t.Error(err)
			return
		}
		told <- h
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if line == "\r\n" {
				fmt.Fprint(c, five)
			}
		}
	})
	p := encrypted(section(addr))
	p.Binds[0].AcceptProxy = true
	p.Servers[0].SendProxy = settings.ProxyHeader{Version: 2, SSL: true, Cipher: true, Authority: true, CRC32C: true}
	r := serve(t, 1, p)
	raw := r.dial()
	io.WriteString(raw, "PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222\r\n")
	config := trusting()
	config.ServerName = "a.example"
	config.InsecureSkipVerify = true
	c := tls.Client(raw, config)
	if _, got := fetch(t, c, bufio.NewReader(c), get); got != "hello" {
		t.Errorf("got %q", got)
	}
	h := <-told
	if got := h.SourceAddr.String() + " " + h.DestinationAddr.String(); got != "1.2.3.4:1111 5.6.7.8:2222" {
		t.Errorf("told %s", got)
	}
	tlvs, err := h.TLVs()
	if err != nil {
		t.Fatal(err)
	}
	s, ok := tlvparse.FindSSL(tlvs)
	if !ok || !s.ClientSSL() || s.ClientCertConn() {
		t.Errorf("TLS: %+v, %v", s, ok)
	}
	if v, ok := s.SSLVersion(); !ok || v != "TLSv1.3" {
		t.Errorf("version %q", v)
	}
	if v, ok := s.SSLCipher(); !ok || v == "" {
		t.Errorf("cipher %q", v)
	}
	found := false
	for _, tlv := range tlvs {
		found = found || tlv.Type == oracle.PP2_TYPE_AUTHORITY && string(tlv.Value) == "a.example"
	}
	if !found {
		t.Errorf("no name the client asked for in %+v", tlvs)
	}
}

// A server is told which of our certificates its client was shown, also of a
// client who goes on with a session. The texts are HAProxy 2.6.12's.
func TestAHeaderTellsOfTheCertificateShown(t *testing.T) {
	told := make(chan string, 1)
	addr := script(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		h, err := oracle.Read(in)
		if err != nil {
			t.Error(err)
			return
		}
		tlvs, _ := h.TLVs()
		s, _ := tlvparse.FindSSL(tlvs)
		text := ""
		for _, tlv := range s.TLV {
			if tlv.Type == oracle.PP2_SUBTYPE_SSL_KEY_ALG || tlv.Type == oracle.PP2_SUBTYPE_SSL_SIG_ALG {
				text += fmt.Sprintf("%x=%s ", byte(tlv.Type), tlv.Value)
			}
		}
		told <- text
		in.ReadString(' ')
		fmt.Fprint(c, five)
	})
	both := []settings.Certificate{siteFor(testcert.Request{Names: []string{"a.example"}, RSA: true}), siteFor(testcert.Request{Names: []string{"a.example"}})}
	const ec, rsa = "25=EC256 24=ecdsa-with-SHA256 ", "25=RSA2048 24=ecdsa-with-SHA256 "
	for _, tc := range []struct {
		name   string
		have   []settings.Certificate
		then   []settings.Certificate // that with RSA, from the first handshake on
		suites []uint16               // of TLS 1.2; 1.3 when empty
		want   string
	}{
		{"one", both[1:], nil, nil, ec},
		{"one with RSA", both[:1], nil, nil, rsa},
		{"another one since", both[1:], both[:1], nil, ec},
		{"two", both, nil, nil, ec},
		{"two, TLS 1.2", both, nil, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, ec},
		{"two, for a client that knows RSA alone", both, nil, []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}, rsa},
	} {
		p := encrypted(section(addr), func(b *settings.BindTLS) { b.Certificates = tc.have })
		p.Servers[0].SendProxy = settings.ProxyHeader{Version: 2, SSL: true, KeyAlg: true, SigAlg: true}
		r := serve(t, 1, p)
		config := trusting()
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		if config.CipherSuites = tc.suites; tc.suites != nil {
			config.MaxVersion = tls.VersionTLS12
		}
		for _, resumed := range []bool{false, true} {
			c := r.secure(config)
			if err := c.Handshake(); err != nil {
				t.Fatal(err)
			}
			if tc.then != nil {
				b := *p.Binds[0].TLS
				b.Certificates = tc.then
				now, err := accept(&b)
				if err != nil {
					t.Fatal(err)
				}
				r.frontends[0].acceptors[0].use(&b, now)
			}
			fetch(t, c, bufio.NewReader(c), get)
			want := tc.want
			if resumed && tc.then != nil {
				want = rsa
			}
			if got := <-told; got != want || c.ConnectionState().DidResume != resumed {
				t.Errorf("%s, resumed %t: told %q, want %q", tc.name, c.ConnectionState().DidResume, got, want)
			}
			c.Close()
		}
	}
}
