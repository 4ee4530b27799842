// Package h2 is an HTTP/2 byte machine (RFC 9113): frames in, events and
// frames out. It keeps the windows, the states of streams and the header
// tables of one connection, and speaks HTTP/1 text to its user: a head arrives
// as the text of an HTTP/1 request (or response), a body as the bytes that
// would follow it, chunked where no length was announced; what the user writes
// in the same form leaves as HEADERS and DATA. The phases of a request
// therefore know one protocol.
//
// It opens no socket, knows no clock, starts nothing, and holds no body: what
// arrives is a slice of the bytes given to Next. What a peer can make it keep
// is bounded: one header block, one header table, and a few numbers a stream;
// what it can make it do is paid for from a budget (see Config.Credit).
//
//	var conn h2.Conn
//	conn.Start(h2.Config{Role: h2.Server, Scratch: &scratch})
//	for {
//		ev, n := conn.Next(p, now)
//		p = p[n:]
//		switch ev.Kind {
//		case h2.NeedMore: // keep p, receive behind it
//		case h2.HeadArrived: // ev.Text is "GET / HTTP/1.1...", valid until the next call
//		case h2.DataArrived: // ev.Data, ev.End
//		case h2.Broken: // send what is in conn.Out(), close
//		}
//	}
//	conn.Write(stream, []byte("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"))
//	n := send(conn.Out()); conn.Sent(n)
package h2
