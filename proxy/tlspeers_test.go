package proxy

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"herald/proxy/testcert"
)

// The peers that TestTLSEndings plays: each breaks off somewhere, somehow.

// overhears is a connection that notes its peer's FIN: crypto/tls takes one
// between two records for a close_notify.
type overhears struct {
	*net.TCPConn
	fin bool
}

func (c *overhears) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	c.fin = c.fin || err == io.EOF
	return n, err
}

// ending names the end that reading came to.
func (c *overhears) ending(err error) string {
	switch {
	case errors.Is(err, unix.ECONNRESET):
		return "reset"
	case c.fin:
		return "fin"
	case err == nil:
		return "close_notify"
	}
	return err.Error()
}

// tells is what a client tells of an answer: its status, body and end.
func tells(b []byte, end string) string {
	status, body := "", string(b)
	if strings.HasPrefix(body, "HTTP/1.1 ") {
		status = body[9:13]
		_, body, _ = strings.Cut(body, "\r\n\r\n")
	}
	if strings.HasPrefix(body, "<html>") {
		body = "page"
	}
	return strings.TrimSpace(fmt.Sprintf("%s%q %s", status, body, end))
}

// breakOffs are the ways to end a TLS connection; those of "fin" and "reset"
// are there before TLS, too.
var breakOffs = []string{"close_notify", "close_notify alone", "fin", "fin in a record", "reset"}

func breakOff(c *tls.Conn, how string) {
	tcp := c.NetConn().(*overhears).TCPConn
	switch how {
	case "close_notify alone":
		c.CloseWrite()
	case "close_notify":
		c.CloseWrite()
		tcp.CloseWrite()
	case "fin in a record":
		io.WriteString(tcp, "\x17\x03\x03\x01\x00abc") // 3 bytes of 256 (RFC 8446 section 5.1)
		tcp.CloseWrite()
	default:
		breakOffBelow(tcp, how)
	}
}

func breakOffBelow(c *net.TCPConn, how string) {
	if how == "reset" {
		c.SetLinger(0)
		c.Close()
		return
	}
	c.CloseWrite()
}

// client says something in TLS, waits for the head of an answer if it is to hear
// one, and breaks off.
func breakingClient(say string, hear bool, how string) func(*net.TCPConn) string {
	return func(tcp *net.TCPConn) string {
		below := &overhears{TCPConn: tcp}
		c := tls.Client(below, trusting())
		if err := c.Handshake(); err != nil {
			return err.Error()
		}
		io.WriteString(c, say)
		if hear {
			readHeadOf(c)
		}
		if breakOff(c, how); how == "reset" {
			return ""
		}
		b, err := io.ReadAll(c)
		return tells(b, below.ending(err))
	}
}

// halfHello breaks off in its handshake, behind an answer if it is to hear one.
func halfHello(say string, hear bool, how string) func(*net.TCPConn) string {
	return func(c *net.TCPConn) string {
		io.WriteString(c, say)
		if hear {
			c.Read(make([]byte, 1))
		}
		if breakOffBelow(c, how); how == "fin" {
			io.Copy(io.Discard, c)
		}
		return ""
	}
}

// plainClient asks without TLS and hears it out.
func plainClient(say string) func(*net.TCPConn) string {
	return func(tcp *net.TCPConn) string {
		io.WriteString(tcp, say)
		c := &overhears{TCPConn: tcp}
		b, err := io.ReadAll(c)
		return tells(b, c.ending(err))
	}
}

// pairFrom is a certificate for a.example.
func pairFrom(a *testcert.Authority) tls.Certificate {
	i := a.Issue(testcert.Request{Names: []string{"a.example"}})
	pair, err := tls.X509KeyPair(i.Cert, i.Key)
	if err != nil {
		panic(err)
	}
	return pair
}

var ownPair = sync.OnceValue(func() tls.Certificate { return pairFrom(authority()) })

// breakingServer answers the first head in TLS and breaks off.
func breakingServer(config *tls.Config, text, how string) func(*net.TCPConn) {
	return func(tcp *net.TCPConn) {
		c := tls.Server(&overhears{TCPConn: tcp}, config)
		if readHeadOf(c) {
			io.WriteString(c, text)
			breakOff(c, how)
		}
		io.Copy(io.Discard, tcp)
	}
}

// shutServer breaks off before the handshake, or behind the first message.
func shutServer(hear bool, how string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		if hear {
			c.Read(make([]byte, 4096))
		}
		breakOffBelow(c, how)
	}
}
