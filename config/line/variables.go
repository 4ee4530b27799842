package line

// variables is the environment as the lines before have left it.
type variables struct {
	lookup  func(name string) (string, bool)
	changed map[string]variable
	reset   bool // resetenv was seen: lookup is no longer asked
}

type variable struct {
	value string
	set   bool
}

func newVariables(lookup func(name string) (string, bool)) *variables {
	if lookup == nil {
		lookup = func(string) (string, bool) { return "", false }
	}
	return &variables{lookup: lookup, changed: map[string]variable{}}
}

func (v *variables) get(name string) (string, bool) {
	if c, ok := v.changed[name]; ok {
		return c.value, c.set
	}
	if v.reset {
		return "", false
	}
	return v.lookup(name)
}

func (v *variables) set(name, value string) { v.changed[name] = variable{value: value, set: true} }

// apply does what an environment keyword of a global section does (manual
// 3.1). Other lines, and ones with a wrong number of arguments, change
// nothing; the keyword's own reader reports those.
func (v *variables) apply(words []Word) {
	args := words[1:]
	switch words[0].Text {
	case "setenv", "presetenv":
		if len(args) != 2 || args[0].Text == "" || args[1].Text == "" {
			return
		}
		if _, there := v.get(args[0].Text); there && words[0].Text == "presetenv" {
			return
		}
		v.set(args[0].Text, args[1].Text)
	case "unsetenv":
		for _, a := range args {
			v.changed[a.Text] = variable{}
		}
	case "resetenv":
		kept := map[string]variable{}
		for _, a := range args {
			if value, ok := v.get(a.Text); ok {
				kept[a.Text] = variable{value: value, set: true}
			}
		}
		v.changed, v.reset = kept, true
	}
}
