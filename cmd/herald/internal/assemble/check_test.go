package assemble

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write puts text into a file of the test's own directory.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const goodProxy = "defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\nlisten web\n bind 127.0.0.1:8080\n"

const goodVRRP = `vrrp_script haproxy {
  script "killall -0 haproxy"
  weight 2
}
vrrp_instance web {
  virtual_router_id 7
  interface lo9
  virtual_ipaddress {
    127.0.0.1 dev lo9
  }
  track_script {
    haproxy
  }
}
`

func TestCheckAnswersForBothFilesAtOnce(t *testing.T) {
	for _, c := range []struct {
		name, keepalived, haproxy string
		code                      int
		want                      []string
	}{
		{"two good files", goodVRRP, goodProxy, 0, []string{"Configuration is valid: 1 VRRP instance, 1 listener; 0 errors"}},
		{"every error is named, with its line", goodVRRP, goodProxy + " nonsense here\n timeout client many\n", 1,
			[]string{"haproxy.cfg:8: error", "haproxy.cfg:9: error", "2 errors"}},
		{"a broken instance is an error of the check", "vrrp_instance a {\n interface eth0\n}\n", goodProxy, 1,
			[]string{"keepalived.conf:1: error", "has errors"}},
		{"nothing to run", "global_defs {\n}\n", "global\n maxconn 10\n", 2, []string{"nothing would run"}},
		{"a missing file is named", goodVRRP, "", 1, []string{"no-such.cfg"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Options{Keepalived: write(t, "keepalived.conf", c.keepalived), HAProxy: []string{"/nonexistent/no-such.cfg"}}
			if c.haproxy != "" {
				o.HAProxy[0] = write(t, "haproxy.cfg", c.haproxy)
			}
			var stdout, stderr strings.Builder
			code := Check(o, &stdout, &stderr)
			all := stdout.String() + stderr.String()
			if code != c.code {
				t.Errorf("want exit code %d, got %d:\n%s", c.code, code, all)
			}
			for _, want := range c.want {
				if !strings.Contains(all, want) {
					t.Errorf("want %q in:\n%s", want, all)
				}
			}
		})
	}
}

func TestCheckSaysWhatTheFilesSayAgainstEachOther(t *testing.T) {
	o := Options{
		Keepalived: write(t, "keepalived.conf", goodVRRP),
		HAProxy:    []string{write(t, "haproxy.cfg", strings.Replace(goodProxy, "127.0.0.1:8080", "203.0.113.9:80", 1))},
	}
	var stdout, stderr strings.Builder
	if code := Check(o, &stdout, &stderr); code != 0 {
		t.Errorf("want 0 for warnings alone, got %d", code)
	}
	for _, want := range []string{"web binds 203.0.113.9, which is neither", "virtual address 127.0.0.1 of vrrp_instance web is bound by no frontend"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("want %q in:\n%s", want, stderr.String())
		}
	}
}

func TestCheckComparesWithTheOtherNodes(t *testing.T) {
	priority := func(p string) string {
		return write(t, "keepalived.conf", strings.Replace(goodVRRP, "virtual_router_id 7", "state MASTER\n  priority "+p+"\n  virtual_router_id 7", 1))
	}
	var stdout, stderr strings.Builder
	o := Options{Keepalived: priority("150"), HAProxy: []string{write(t, "haproxy.cfg", goodProxy)}, Nodes: []string{priority("150"), priority("100")}}
	if code := Check(o, &stdout, &stderr); code != 0 {
		t.Errorf("want warnings only, got %d", code)
	}
	if all := stderr.String(); !strings.Contains(all, "both it and vrrp_instance web") {
		t.Errorf("want the equal priorities named, got %s", all)
	}
	o.Nodes = o.Nodes[1:]
	stderr.Reset()
	Check(o, &stdout, &stderr)
	if all := stderr.String(); !strings.Contains(all, "script haproxy has weight 2, which can never move the addresses") {
		t.Errorf("want the weight named, got %s", all)
	}
}
