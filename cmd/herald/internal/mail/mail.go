// Package mail sends short messages through one SMTP server, one after the
// other, from a goroutine of its own: who has something to say never waits.
//
// It speaks plain SMTP, as keepalived does, and does not try again: a message
// about a state is old when the server is back.
//
//	m := mail.Start(mail.Options{Server: "127.0.0.1:25", To: []string{"admin@example.com"}})
//	defer m.Close()
//	m.Send("[node1] VRRP Instance VI_1 - Entering MASTER state", "=> ... <=")
package mail

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"strings"
	"time"
)

// maxWaiting bounds the messages that wait; a newer one is dropped.
const maxWaiting = 64

// talk bounds a conversation after the connection is made.
const talk = 30 * time.Second

// Options say how to send.
type Options struct {
	Server  string // host:port
	Helo    string
	From    string
	To      []string
	Connect time.Duration // bounds connecting
	// Failed takes what went wrong; it must not wait.
	Failed func(error)
	// Dial is net.Dialer's when nil.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Mailer sends in the background.
type Mailer struct {
	opt     Options
	queue   chan message
	live    context.Context
	quit    context.CancelFunc
	stopped chan struct{}
}

type message struct {
	at            time.Time
	subject, body string
}

// Start starts the sender.
func Start(o Options) *Mailer {
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	m := &Mailer{opt: o, queue: make(chan message, maxWaiting), stopped: make(chan struct{})}
	m.live, m.quit = context.WithCancel(context.Background())
	go m.run()
	return m
}

// Send queues a message.
func (m *Mailer) Send(subject, body string) {
	select {
	case m.queue <- message{time.Now(), oneLine(subject), body}:
	default:
		m.opt.Failed(fmt.Errorf("mail %q is dropped: %d wait already", subject, maxWaiting))
	}
}

// Close ends the sender, in the middle of a message if need be, and drops what
// waits.
func (m *Mailer) Close() {
	m.quit()
	<-m.stopped
}

func (m *Mailer) run() {
	defer close(m.stopped)
	for {
		select {
		case <-m.live.Done():
			return
		case msg := <-m.queue:
			if err := m.deliver(msg); err != nil && m.live.Err() == nil {
				m.opt.Failed(fmt.Errorf("mail %q to %s: %w", msg.subject, m.opt.Server, err))
			}
		}
	}
}

// deliver sends one message over a connection of its own.
func (m *Mailer) deliver(msg message) error {
	ctx, cancel := context.WithTimeout(m.live, m.opt.Connect)
	conn, err := m.opt.Dial(ctx, "tcp", m.opt.Server)
	cancel()
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(talk))
	defer context.AfterFunc(m.live, func() { conn.Close() })()
	host, _, _ := net.SplitHostPort(m.opt.Server)
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return err
	}
	if err := c.Hello(oneLine(m.opt.Helo)); err != nil {
		return err
	}
	if err := c.Mail(m.opt.From); err != nil {
		return err
	}
	for _, to := range m.opt.To {
		if err := c.Rcpt(to); err != nil {
			return fmt.Errorf("to %s: %w", to, err)
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, m.text(msg)); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}

// text is the message with its headers (RFC 5322), in keepalived's order.
func (m *Mailer) text(msg message) string {
	return "Date: " + msg.at.Format(time.RFC1123Z) + "\r\n" +
		"From: " + oneLine(m.opt.From) + "\r\n" +
		"Subject: " + msg.subject + "\r\n" +
		"X-Mailer: herald\r\n" +
		"To: " + oneLine(strings.Join(m.opt.To, ", ")) + "\r\n" +
		"\r\n" + msg.body + "\r\n\r\n"
}

// oneLine keeps a name from a configuration from adding headers.
func oneLine(s string) string { return strings.NewReplacer("\r", " ", "\n", " ").Replace(s) }
