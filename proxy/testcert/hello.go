package testcert

import (
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// RecordHeader is the length of a record's header (RFC 8446 section 5.1).
const RecordHeader = 5

// ClientHello is the first message of a client, in one record.
func ClientHello() []byte {
	var c recorder
	tls.Client(&c, &tls.Config{ServerName: "a.example"}).Handshake() // fails for want of an answer
	return c
}

// Records puts a handshake message into records of so many bytes.
func Records(message []byte, size int) (all []byte) {
	for len(message) > 0 {
		n := min(size, len(message))
		all = append(all, 22, 3, 1, byte(n>>8), byte(n))
		all = append(all, message[:n]...)
		message = message[n:]
	}
	return all
}

// recorder is a connection that keeps what is written.
type recorder []byte

func (r *recorder) Write(p []byte) (int, error) {
	*r = append(*r, p...)
	return len(p), nil
}
func (*recorder) Read([]byte) (int, error)         { return 0, errors.New("nothing to read") }
func (*recorder) Close() error                     { return nil }
func (*recorder) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*recorder) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*recorder) SetDeadline(time.Time) error      { return nil }
func (*recorder) SetReadDeadline(time.Time) error  { return nil }
func (*recorder) SetWriteDeadline(time.Time) error { return nil }
