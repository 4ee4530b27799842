package probe

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"golang.org/x/net/http2"
)

// translated is a connection that speaks HTTP/2 to the server and HTTP/1.1 to
// the script: one request is written as a whole, and its response read.
type translated struct {
	net.Conn
	ctx  context.Context
	peer *http2.ClientConn
	to   string
	in   io.Reader     // the response
	body io.ReadCloser // nil before there is one
}

// errForeign says that the server does not speak HTTP/2.
var errForeign = errors.New("not HTTP/2")

// translate begins HTTP/2 on conn (RFC 9113 section 3.4).
func translate(ctx context.Context, conn net.Conn, scheme string) (*translated, error) {
	t := &http2.Transport{AllowHTTP: true, DisableCompression: true}
	peer, err := t.NewClientConn(conn)
	if err != nil {
		return nil, err
	}
	return &translated{Conn: conn, ctx: ctx, peer: peer, to: scheme}, nil
}

// Write takes one request and returns when its response begins.
func (c *translated) Write(b []byte) (int, error) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errForeign, err)
	}
	r.RequestURI, r.Close = "", false
	r.URL.Scheme, r.URL.Host = c.to, r.Host
	if r.Host == "" {
		r.URL.Host = c.RemoteAddr().String()
	}
	r.Header.Del("Connection")
	resp, err := c.peer.RoundTrip(r.WithContext(c.ctx))
	switch {
	case err != nil && timedOut(err):
		return 0, err
	case err != nil:
		return 0, fmt.Errorf("%w: %w", errForeign, err)
	}
	var head bytes.Buffer
	fmt.Fprintf(&head, "HTTP/1.1 %03d \r\n", resp.StatusCode)
	resp.Header.Write(&head)
	head.WriteString("\r\n")
	c.body, c.in = resp.Body, io.MultiReader(&head, resp.Body)
	return len(b), nil
}

func (c *translated) Read(b []byte) (int, error) {
	if c.in == nil { // a script that expects before it asks
		return 0, io.EOF
	}
	return c.in.Read(b)
}

func (c *translated) Close() error {
	if c.body != nil {
		c.body.Close()
	}
	return c.peer.Close()
}

// second begins HTTP/2 where it was agreed on or asked for.
func (p *run) second(place Place) bool {
	scheme := "http"
	if e, ok := p.conn.(encrypted); ok {
		scheme = "https"
		place.H2 = place.H2 || place.HTTP && e.ConnectionState().NegotiatedProtocol == "h2"
	}
	if !place.H2 {
		return true
	}
	t, err := translate(p.ctx, p.conn, scheme)
	if err != nil {
		p.broken(err, 7)
		return false
	}
	p.conn = t
	return true
}
