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
