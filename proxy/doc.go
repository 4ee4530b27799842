// Package proxy is the engine behind a HAProxy configuration: event loops that
// accept connections, choose servers, and carry HTTP/1 messages or plain
// streams between the two, with the timeouts, queues, checks, logs and
// counters HAProxy's users know.
//
// It opens no listening socket (the process lends them), reads no file, parses
// no configuration, and never blocks a loop: what may block runs on a
// goroutine and posts its result back. life.go is the life of a request from
// top to bottom.
//
//	s, err := proxy.New(cfg, proxy.Options{OpenLog: open})
//	fds := lend(s.Needs())            // by Listener.Key
//	if err := s.Serve(fds); err != nil {
//		return err
//	}
//	ok, why := s.Serving()
//	s.Drain(ctx)                      // stop accepting, let connections end
//	s.Close()
package proxy
