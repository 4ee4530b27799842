package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// HTTP returns a client whose connections come from the node, each used once
// unless keepAlive.
func (n *Node) HTTP(keepAlive bool) *http.Client {
	return &http.Client{
		Timeout:   5 * time.Second,
		Transport: &http.Transport{DialContext: n.DialContext, DisableKeepAlives: !keepAlive, MaxIdleConnsPerHost: 64},
	}
}

// Get asks the client's side for a URL and returns status and body; user and
// password are sent unless user is empty.
func (l *Lab) Get(ctx context.Context, url, user, password string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	resp, err := l.Client().HTTP(false).Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

// Banner connects to the TCP service on an address and returns the name the
// server behind it says, after a line went to it and back.
func (l *Lab) Banner(ctx context.Context, addr string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	conn, err := l.Client().DialContext(ctx, "tcp", net.JoinHostPort(addr, fmt.Sprint(TCPPort)))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	if _, err := fmt.Fprintln(conn, "select 1"); err != nil {
		return "", err
	}
	in := bufio.NewReader(conn)
	name, err := in.ReadString('\n')
	if err != nil {
		return "", err
	}
	if back, err := in.ReadString('\n'); err != nil || back != "select 1\n" {
		return "", fmt.Errorf("sent %q, got back %q: %w", "select 1\n", back, err)
	}
	return strings.TrimSpace(name), nil
}

// behind finds the servers behind an address, over both services, sorted: who answers ten
// questions in a row. An unanswered one is an error.
func (l *Lab) behind(ctx context.Context, addr string) (tcp, web []string, err error) {
	for range 10 {
		name, err := l.Banner(ctx, addr)
		if err != nil {
			return nil, nil, fmt.Errorf("TCP service on %s: %w", addr, err)
		}
		tcp = append(tcp, name)
		status, body, err := l.Get(ctx, fmt.Sprintf("http://%s:%d/", addr, HTTPPort), "", "")
		if err != nil || status != http.StatusOK {
			return nil, nil, fmt.Errorf("HTTP service on %s: status %d: %w", addr, status, err)
		}
		web = append(web, strings.TrimSpace(body))
	}
	slices.Sort(tcp)
	slices.Sort(web)
	return slices.Compact(tcp), slices.Compact(web), nil
}

// WaitBehind waits until exactly the named servers answer on both services of
// an address, at most 20 s; between two looks questions may fail.
func (l *Lab) WaitBehind(ctx context.Context, addr string, names ...string) error {
	var tcp, web []string
	var last error
	// The packaged programs take 3 s to notice a server: two checks, and the
	// connections on their way.
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	err := l.WaitFor(ctx, fmt.Sprintf("%v behind %s", names, addr), func() bool {
		tcp, web, last = l.behind(ctx, addr)
		return last == nil && slices.Equal(tcp, names) && slices.Equal(web, names)
	})
	if err != nil {
		return fmt.Errorf("%w (seen last: TCP %v, HTTP %v, %v)", err, tcp, web, last)
	}
	return nil
}

// Load is a number of clients that ask one URL without a pause over
// connections they keep. Its counters may be read at any time.
type Load struct {
	OK, Failed atomic.Int64
	client     *http.Client
	cancel     context.CancelFunc
	done       sync.WaitGroup

	mu    sync.Mutex
	first error // the first failure
}

// Load starts n clients asking a URL, about 500 requests a second in all.
func (l *Lab) Load(n int, url string) *Load {
	ctx, cancel := context.WithCancel(context.Background())
	load := &Load{cancel: cancel, client: l.Client().HTTP(true)}
	load.done.Add(n)
	for range n {
		go load.ask(ctx, url, time.Duration(n)*2*time.Millisecond)
	}
	return load
}

func (ld *Load) ask(ctx context.Context, url string, every time.Duration) {
	defer ld.done.Done()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		// A request under way when the load ends is let finish.
		if err := once(ld.client, url); err != nil {
			ld.Failed.Add(1)
			ld.mu.Lock()
			ld.first = errors.Join(ld.first, err)
			ld.mu.Unlock()
			continue
		}
		ld.OK.Add(1)
	}
}

func once(client *http.Client, url string) error {
	// A POST with a body is never repeated by net/http, so no failure
	// hides behind a retry.
	resp, err := client.Post(url, "text/plain", strings.NewReader("x"))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}

// Stop ends the load and returns the failures, nil when there was none.
func (ld *Load) Stop() error {
	ld.cancel()
	ld.done.Wait()
	ld.client.CloseIdleConnections()
	ld.mu.Lock()
	defer ld.mu.Unlock()
	return ld.first
}

// pages shows that the statistics page answers on every controller's own
// outside address, to those who know the password.
func (d *demo) pages(ctx context.Context) {
	for i, n := range d.Controllers() {
		url := "http://" + OutsideAddr(i) + "/stats"
		closed, _, err := d.Get(ctx, url, "", "")
		open, body, err2 := d.Get(ctx, url, "admin", "openstack")
		err = errors.Join(err, err2)
		d.claim(err == nil && closed == 401 && open == 200 && strings.Contains(strings.ToLower(body), "<html"),
			"%s of %s: %d without the password, %d with it%s", url, n.name, closed, open, because(err))
	}
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

// services shows both services through both addresses, with a server killed
// and added back.
func (d *demo) services(ctx context.Context) error {
	both := []string{"server-0", "server-1"}
	for _, addr := range []string{InsideVirtual, OutsideVirtual} {
		if err := d.WaitBehind(ctx, addr, both...); err != nil {
			return err
		}
		d.claim(true, "TCP and HTTP through %s reach %s", addr, strings.Join(both, " and "))
	}
	d.say("server-1", "killed")
	if err := d.Server(1).Kill9All(); err != nil {
		return err
	}
	since := time.Now()
	if err := d.WaitBehind(ctx, InsideVirtual, "server-0"); err != nil {
		return err
	}
	d.claim(true, "server-1 was taken out within %v", time.Since(since).Round(10*time.Millisecond))
	if _, err := d.StartOrigin(1); err != nil {
		return err
	}
	d.say("server-1", "started again")
	since = time.Now()
	if err := d.WaitBehind(ctx, OutsideVirtual, both...); err != nil {
		return err
	}
	d.claim(true, "server-1 was taken back within %v", time.Since(since).Round(10*time.Millisecond))
	return nil
}

// reload changes a backend of the holder under load.
func (d *demo) reload(ctx context.Context) error {
	i := d.Holder(InsideVirtual)
	if i < 0 || d.Engines[i] != Herald {
		return nil
	}
	r, err := d.ReloadUnderLoad(ctx, i)
	if err != nil {
		return err
	}
	d.say(d.Controller(i).name, "reloaded with a changed backend under load")
	d.claim(r.Failed == nil && r.Requests > 0, "none of %d requests failed during two reloads%s", r.Requests, because(r.Failed))
	d.claim(len(r.Moves) == 0, "no address moved during the reloads")
	return nil
}

// Reload is what a reload under load did.
type Reload struct {
	Requests int64
	Failed   error // nil when no request failed
	Moves    []Change
}

// ReloadUnderLoad takes server-1 out of controller i's backends with SIGHUP
// while requests pass through it, waits until the new configuration serves,
// and puts it back the same way.
func (c *Cluster) ReloadUnderLoad(ctx context.Context, i int) (Reload, error) {
	since := time.Now()
	load := c.Load(16, fmt.Sprintf("http://%s:%d/", InsideVirtual, HTTPPort))
	defer load.Stop()
	all := c.Setup.servicesConf(len(c.Servers()))
	few := c.Setup.servicesConf(1)
	n := c.Controller(i)
	for _, step := range []struct {
		file  string
		names []string
	}{{few, []string{"server-0"}}, {all, []string{"server-0", "server-1"}}} {
		at := load.OK.Load()
		if err := c.WaitFor(ctx, "requests to pass", func() bool { return load.OK.Load() > at+100 }); err != nil {
			return Reload{Requests: load.OK.Load(), Failed: load.Stop()}, err
		}
		if err := errors.Join(n.WriteFile(servicesFile, step.file), n.proc("herald").Signal(syscall.SIGHUP)); err != nil {
			return Reload{}, err
		}
		if err := c.WaitBehind(ctx, InsideVirtual, step.names...); err != nil {
			return Reload{Requests: load.OK.Load(), Failed: load.Stop()}, err
		}
	}
	return Reload{Requests: load.OK.Load() + load.Failed.Load(), Failed: load.Stop(), Moves: c.Changes(since)}, nil
}
