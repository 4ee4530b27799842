package directive

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestScriptsOfTheStartAndTheEnd(t *testing.T) {
	cfg, diags := built("k", "global_defs {\nstartup_script_timeout 3\nstartup_script \"/bin/start now\"\nshutdown_script /bin/stop\nlvs_notify_fifo /run/l\n}\n")
	p := cfg.Process
	if !slices.Equal(p.Startup.Argv, []string{"/bin/start", "now"}) || p.Startup.Timeout != 3*time.Second {
		t.Errorf("startup: %+v", p.Startup)
	}
	if !slices.Equal(p.Shutdown.Argv, []string{"/bin/stop"}) || p.Shutdown.Timeout != 10*time.Second {
		t.Errorf("shutdown: %+v", p.Shutdown)
	}
	if got := findings(diags); !strings.Contains(got, "k:5: notice: lvs_notify_fifo is accepted and changes nothing") {
		t.Errorf("said %s", got)
	}
}
