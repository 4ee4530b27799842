package withdraw

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"herald/cmd/herald/internal/ipc"
)

func TestWhatIsHeldIsRecalledUntilNothingIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "held.json")
	if l, err := Recall(path); err != nil || len(l.Held) > 0 || l.Belongings != nil {
		t.Errorf("without a file: %v, %v", l, err)
	}
	held := []ipc.Address{{Prefix: "10.1.1.10/32", Interface: "eth0"}}
	sysctls := ipc.Belongings(`{"sysctls":[{"device":"eth0","name":"ipv4/conf/%s/arp_ignore","value":"0"}]}`)
	for _, c := range []struct {
		held []ipc.Address
		b    ipc.Belongings
		file bool
	}{{held, sysctls, true}, {nil, sysctls, true}, {held, nil, true}, {nil, ipc.Belongings(`{"net_namespace":"x"}`), false}, {nil, nil, false}} {
		if err := Remember(path, c.held, c.b); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); (err == nil) != c.file {
			t.Errorf("%v and %s: a file %v, want %v", c.held, c.b, err == nil, c.file)
		}
		l, err := Recall(path)
		if err != nil || !reflect.DeepEqual(l.Held, c.held) || c.file && string(l.Belongings) != string(c.b) || !c.file && l.Belongings != nil {
			t.Errorf("%v and %s: got %v and %s, %v", c.held, c.b, l.Held, l.Belongings, err)
		}
	}
	left, _ := os.ReadDir(filepath.Dir(path))
	if len(left) != 0 {
		t.Errorf("files are left: %v", left)
	}
}

func TestWhatWasHeldBeforeTheSystemStartedIsGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "held.json")
	if err := Remember(path, []ipc.Address{{Prefix: "10.1.1.10/32"}}, nil); err != nil {
		t.Fatal(err)
	}
	raw, _ := os.ReadFile(path)
	if err := os.WriteFile(path, []byte(strings.Replace(string(raw), boot(), "another", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err := Recall(path); err != nil || len(l.Held) > 0 {
		t.Errorf("got %v, %v", l, err)
	}
	if err := os.WriteFile(path, []byte("half a fi"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Recall(path); err == nil || !strings.Contains(err.Error(), "recall") {
		t.Errorf("half a file: %v", err)
	}
}
