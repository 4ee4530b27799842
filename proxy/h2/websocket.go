package h2

import (
	"crypto/sha1"
	"encoding/base64"
)

// This file joins the two ways to begin a WebSocket, or another protocol: a GET
// with upgrade and, for WebSockets, a key in HTTP/1 (RFC 6455 section 4), an
// extended CONNECT without in HTTP/2 (RFC 8441 section 5).

// appendKey writes a key and ends its line.
func appendKey(dst []byte, chance func([]byte)) []byte {
	var raw [16]byte
	if chance != nil {
		chance(raw[:])
	}
	dst = base64.StdEncoding.AppendEncode(dst, raw[:])
	return append(dst, '\r', '\n')
}

// acceptOf is the answer a client expects to its key.
func acceptOf(key []byte) []byte {
	sum := sha1.Sum(append(append([]byte(nil), key...), "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...))
	return base64.StdEncoding.AppendEncode(nil, sum[:])
}

// switched is the answer to an upgrade, in HTTP/1, with these other fields.
func (w *writer) switched(fields []byte) []byte {
	b := append([]byte("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: "), w.protocol...)
	b = append(append(b, '\r', '\n'), fields...)
	if w.accept != nil {
		b = append(b, "sec-websocket-accept: "...)
		b = append(b, w.accept...)
		b = append(b, '\r', '\n')
	}
	return b
}
