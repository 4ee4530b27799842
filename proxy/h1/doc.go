// Package h1 is an HTTP/1 byte machine: it reads request and response heads
// out of a buffer, decides how their bodies are framed, follows the bodies as
// they pass, and writes rewritten heads. RFC 9112 and RFC 9110 are the law;
// where they leave a choice it does what HAProxy 2.6 does, or less.
//
// It owns no buffer, opens no socket, and allocates nothing per message: a
// Head and a Body are reused. It never re-frames a body and never repairs a
// message whose length two readers could understand differently; it answers
// with a Verdict that names the reason.
//
//	var head h1.Head // reused; head.Headers keeps its array
//	switch v := head.ParseRequest(buf[:n]); v {
//	case h1.Incomplete: // receive more behind buf[:n], call again
//	case h1.Complete:
//		out = head.AppendRequest(out[:0], buf, h1.Edits{Add: extra})
//		body.Start(head.Framing, head.Length)
//		n, done, v := body.Scan(buf[head.Len:n])
//	default:
//		reply(v.Status()) // 400 with v.String() as the reason
//	}
package h1
