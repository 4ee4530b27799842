// Package tlsconf is what HAProxy's configuration says about TLS, in terms of
// crypto/tls: certificates out of PEM files, which of them a client gets by
// the name it asks for, OpenSSL's cipher strings, lists of certificates
// (crt-list), and who is trusted.
//
// It opens no file, no connection, and no clock: bytes and the time are
// given. What OpenSSL knows and crypto/tls does not is named, never left out
// in silence.
//
//	pair, err := tlsconf.Load(settings.Certificate{Files: files})
//	table := tlsconf.NewTable(pairs, strict)
//	pair = table.Choose("www.example.com", supported)
package tlsconf
