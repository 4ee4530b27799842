package mail

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// server answers one conversation as a mail server does and returns what it
// was told.
func server(c net.Conn) string {
	defer c.Close()
	var told strings.Builder
	say := func(s string) { c.Write([]byte(s + "\r\n")) }
	say("220 fake")
	lines := bufio.NewReader(c)
	data := false
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return told.String()
		}
		told.WriteString(line)
		switch {
		case data && line == ".\r\n":
			data = false
			say("250 queued")
		case data:
		case strings.HasPrefix(line, "EHLO"):
			say("500 not here") // keepalived's servers may be as old
		case strings.HasPrefix(line, "DATA"):
			data = true
			say("354 go on")
		case strings.HasPrefix(line, "QUIT"):
			say("221 bye")
			return told.String()
		default:
			say("250 ok")
		}
	}
}

func TestAMailIsToldAsKeepalivedTellsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan string, 1)
		m := Start(Options{Server: "mail:25", Helo: "node1", From: "k@x.org", To: []string{"a@x.org", "b@x.org"}, Connect: time.Second,
			Failed: func(err error) { t.Error(err) },
			Dial: func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go func() { told <- server(theirs) }()
				return ours, nil
			}})
		m.Send("[R1] VRRP Instance VI_1\nBcc: c@x.org", "=> VRRP Instance is now owning VRRP VIPs <=")
		got := <-told
		want := "EHLO node1\r\nHELO node1\r\nMAIL FROM:<k@x.org>\r\nRCPT TO:<a@x.org>\r\nRCPT TO:<b@x.org>\r\nDATA\r\n" +
			"Date: Sat, 01 Jan 2000 00:00:00 +0000\r\nFrom: k@x.org\r\nSubject: [R1] VRRP Instance VI_1 Bcc: c@x.org\r\nX-Mailer: herald\r\nTo: a@x.org, b@x.org\r\n\r\n" +
			"=> VRRP Instance is now owning VRRP VIPs <=\r\n\r\n.\r\nQUIT\r\n"
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		synctest.Wait()
		m.Close()
	})
}

func TestAServerThatDoesNotAnswerHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failures []string
		m := Start(Options{Server: "mail:25", Connect: 5 * time.Second, Failed: func(err error) { failures = append(failures, err.Error()) },
			Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}})
		began := time.Now()
		m.Send("first", "")
		synctest.Wait() // taken out of the queue
		for range maxWaiting + 1 {
			m.Send("more", "")
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("waited %v", took)
		}
		if len(failures) != 1 || !strings.Contains(failures[0], "dropped") {
			t.Errorf("got %v", failures)
		}
		m.Close()
		if took := time.Since(began); took != 0 {
			t.Errorf("the end waited %v", took)
		}
	})
}

func TestAFailureIsToldAndTheNextIsTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failures []string
		m := Start(Options{Server: "mail:25", Connect: time.Second, Failed: func(err error) { failures = append(failures, err.Error()) },
			Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("refused") }})
		m.Send("one", "")
		m.Send("two", "")
		synctest.Wait()
		m.Close()
		if want := `mail "one" to mail:25: refused|mail "two" to mail:25: refused`; strings.Join(failures, "|") != want {
			t.Errorf("got %v, want %s", failures, want)
		}
	})
}
