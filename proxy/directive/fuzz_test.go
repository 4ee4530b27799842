package directive

import (
	"os"
	"path/filepath"
	"testing"

	"herald/config"
	"herald/config/line"
)

// FuzzBuild asks that no text makes a reader panic, that the configuration is
// there whatever the text, and that every finding has a message.
func FuzzBuild(f *testing.F) {
	files, _ := filepath.Glob("../../config/line/testdata/realworld/*.cfg")
	for _, name := range append(files, "testdata/three-controllers.cfg") {
		if content, err := os.ReadFile(name); err == nil {
			f.Add(string(content))
		}
	}
	for _, r := range proxyKeywords.Rows() {
		f.Add("listen l\n " + r.Example + "\n")
	}
	for _, r := range serverOptions.Rows() {
		f.Add("listen l\n " + r.Example + "\n")
	}
	f.Fuzz(func(t *testing.T, text string) {
		var diags config.Diagnostics
		cfg := Build(line.Parse([]line.Text{{Name: "f", Bytes: []byte(text)}}, line.Env{}, &diags), world, &diags)
		if cfg == nil {
			t.Fatal("no configuration")
		}
		for _, p := range cfg.Proxies {
			for _, s := range p.Servers {
				if s.Weight < 0 || s.Weight > 256 || s.ID < 1 || s.Rise < 1 || s.Fall < 1 || s.Inter <= 0 {
					t.Fatalf("server %+v", s)
				}
			}
		}
		for _, d := range diags.List() {
			if d.Message == "" && d.Word != ".notice" && d.Word != ".warning" && d.Word != ".alert" {
				t.Fatalf("finding without a message: %+v", d)
			}
		}
	})
}
