package withdraw

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"herald/cmd/herald/internal/ipc"
	"herald/vrrp/settings"
)

// Left is what a VRRP role has put into the kernel, kept in a file for the
// daemon that comes after one that was killed with all its processes.
type Left struct {
	// Boot is the start of the system it belongs to: after another one
	// nothing of it is there.
	Boot       string          `json:"boot"`
	Held       []ipc.Address   `json:"held,omitempty"`
	Belongings json.RawMessage `json:"belongings,omitempty"`
}

// Remember writes what there is to path, or removes the file when there is
// nothing.
func Remember(path string, held []ipc.Address, b ipc.Belongings) error {
	if len(held) == 0 && nothing(b) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("forget what the VRRP role held: %w", err)
		}
		return nil
	}
	raw, err := json.Marshal(Left{Boot: boot(), Held: held, Belongings: json.RawMessage(b)})
	if err != nil {
		return fmt.Errorf("keep what the VRRP role holds: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // 0600, never through a link
	if err != nil {
		return fmt.Errorf("keep what the VRRP role holds: %w", err)
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("keep what the VRRP role holds: %w", err)
	}
	return nil
}

// Recall reads what Remember wrote: nothing where there is no file, or one of
// before the system started.
func Recall(path string) (Left, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Left{}, nil
	}
	var l Left
	if err == nil {
		err = json.Unmarshal(raw, &l)
	}
	if err != nil {
		return Left{}, fmt.Errorf("recall what a daemon before left: %w", err)
	}
	if l.Boot != boot() {
		return Left{}, nil
	}
	return l, nil
}

// nothing reports that b has nothing in it.
func nothing(b ipc.Belongings) bool {
	var s settings.Belongings
	if len(b) == 0 || json.Unmarshal(b, &s) != nil {
		return true
	}
	s.NetNamespace = ""
	return reflect.DeepEqual(s, settings.Belongings{})
}

// boot tells one start of the system from another (random(4)).
func boot() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}
