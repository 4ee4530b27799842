package directive

import (
	"slices"

	"herald/config"
	"herald/config/block"
	"herald/vrrp/settings"
)

// fileDraft is one track_file being read.
type fileDraft struct{ settings.File }

type fileKeyword = keyword[fileDraft]

var fileWords = config.NewRegistry(
	row[fileDraft]{Name: "file", Syntax: "FILE", Doc: "The file with a number in it; one that is missing has 0.", Example: "file /etc/keepalived/maintenance",
		Do: fileKeyword{act: func(_ *build, f *fileDraft, st block.Statement) { f.Path = st.Arg(1) }}},
	row[fileDraft]{Name: "weight", Syntax: "NUMBER [reverse]", Doc: "Factor of the number, 1; 0 means FAULT while the number is not 0.", Example: "weight -30",
		Do: fileKeyword{act: func(b *build, f *fileDraft, st block.Statement) {
			f.Weight = b.boundedWeight(st, 1)
			_, f.Reverse = b.weight(st, 2, 0, false)
		}}},
	row[fileDraft]{Name: "init_file", Syntax: "[NUMBER] [overwrite]", Doc: "Writes the number, 0, at the start where there is no such file; overwrite does so in any case.", Example: "init_file 0",
		Do: fileKeyword{act: initFile}},
)

func initFile(b *build, f *fileDraft, st block.Statement) {
	f.Init = true
	for i := 1; i < len(st.Words); i++ {
		if st.Arg(i) == "overwrite" {
			f.Overwrite = true
			continue
		}
		f.Value = b.number(st, i, -1<<31, 1<<31-1, 0)
	}
}

// trackFile reads one track_file block.
func trackFile(b *build, _ *build, st block.Statement) {
	f := fileDraft{settings.File{Pos: st.Pos, Name: st.Arg(1), Weight: 1}}
	apply(b, "track_file", fileWords, &f, st.Children)
	taken := slices.ContainsFunc(b.config.Files, func(o settings.File) bool { return o.Name == f.Name })
	switch {
	case f.Path == "":
		b.diags.Errorf(st.Pos, f.Name, "track_file %s is left out: it has no file", f.Name)
	case f.Path[0] != '/':
		b.diags.Errorf(st.Pos, f.Name, "track_file %s is left out: the path %s is not absolute", f.Name, f.Path)
	case taken:
		b.diags.Errorf(st.Pos, f.Name, "track_file %s is left out: the name is taken", f.Name)
	default:
		b.config.Files = append(b.config.Files, f.File)
	}
}

// watching is what an instance or a group tracks outside the process: lines
// of track_file and track_process, which may stand before their blocks, and of
// track_proxy.
type watching struct {
	files     []block.Statement
	processes []block.Statement
	proxy     []settings.Watched
}

// watchRows are the keywords of an instance and of a group alike.
func watchRows[T any](in func(*T) *watching) []row[T] {
	return []row[T]{
		{Name: "track_file", Syntax: "{ NAME [weight NUMBER] [reverse] }", Doc: "Files whose number changes the priority, or FAULT with weight 0.",
			Example: "track_file { maintenance weight 1 }", Do: keyword[T]{act: func(_ *build, t *T, st block.Statement) {
				in(t).files = append(in(t).files, items(st, beginsTracked)...)
			}}},
		{Name: "track_process", Syntax: "{ NAME [weight NUMBER] [reverse] }", Doc: "Processes whose life changes the priority, or FAULT with weight 0.",
			Example: "track_process { web weight 5 }", Do: keyword[T]{act: func(_ *build, t *T, st block.Statement) {
				in(t).processes = append(in(t).processes, items(st, beginsTracked)...)
			}}},
		{Name: "track_proxy", Syntax: "{ frontend|backend NAME [min_servers COUNT] [weight NUMBER] [reverse] }",
			Doc:     "Parts of herald's own proxy, told in the moment they change: a frontend that accepts connections, a backend with so many servers up (1). With weight 0 or none: FAULT when it is not so. keepalived does not know it.",
			Example: "track_proxy { frontend web backend app min_servers 2 weight -20 }", Do: keyword[T]{act: func(b *build, t *T, st block.Statement) {
				for _, line := range items(st, beginsPart) {
					b.part(in(t), line)
				}
			}}},
	}
}

// linkbeatPlan lists the top level's words about dead links.
const linkbeatPlan = `
linkbeat_use_polling | The kernel tells of a dead link at once; nothing has to be polled. |
linkbeat_interfaces { INTERFACE [MII|ETHTOOL|IOCTL] } | The kernel tells of a dead link at once; nothing has to be polled. | { eth2 ETHTOOL }
`

// sourceActs are the keywords of an instance about its own source address.
var sourceActs = []row[draft]{
	{Name: "track_src_ip", Doc: "FAULT while the configured source address is not on the interface; without one there is always FAULT while the interface has no address.",
		Example: "track_src_ip", Do: instanceKeyword{act: func(_ *build, d *draft, _ block.Statement) { d.TrackSource = true }}},
	{Name: "linkbeat_use_polling", Doc: "The kernel tells of a dead link at once; nothing has to be polled.", Example: "linkbeat_use_polling", Do: instanceKeyword{always: true}},
}

// beginsPart tells a new line of track_proxy.
func beginsPart(words []block.Word, i int) bool {
	before := words[i-1].Text
	return (words[i].Text == "frontend" || words[i].Text == "backend") && before != "frontend" && before != "backend"
}

// part reads one line of track_proxy.
func (b *build) part(to *watching, line block.Statement) {
	w := settings.Watched{Pos: line.Pos, Kind: settings.AFrontend, Name: line.Arg(1), MinServers: 1}
	switch line.Keyword() {
	case "frontend":
	case "backend":
		w.Kind = settings.ABackend
	default:
		b.diags.Warnf(line.Pos, line.Keyword(), "track_proxy: %q is not frontend or backend; the line is ignored", line.Keyword())
		return
	}
	if w.Name == "" {
		b.diags.Warnf(line.Pos, line.Keyword(), "track_proxy: %s needs a name; the line is ignored", line.Keyword())
		return
	}
	rest := line
	if i := slices.IndexFunc(line.Words, func(w block.Word) bool { return w.Text == "min_servers" }); i > 1 && i+1 < len(line.Words) && w.Kind == settings.ABackend {
		w.MinServers = b.number(line, i+1, 1, 1<<20, 1)
		rest.Words = slices.Delete(slices.Clone(line.Words), i, i+2)
	}
	w.Weight, w.Reverse = b.weight(rest, 2, 0, false)
	to.proxy = append(to.proxy, w)
}

// watched connects what is tracked with the files there are.
func (b *build) watched(where string, from watching, owned bool) []settings.Watched {
	var list []settings.Watched
	for _, line := range from.files {
		name := line.Keyword()
		i := slices.IndexFunc(b.config.Files, func(f settings.File) bool { return f.Name == name })
		if i < 0 {
			b.diags.Warnf(line.Pos, name, "%s: track_file %s: there is no such track_file block; it is ignored", where, name)
			continue
		}
		w := settings.Watched{Pos: line.Pos, Kind: settings.AFile, Name: name}
		w.Weight, w.Reverse = b.weight(line, 1, b.config.Files[i].Weight, b.config.Files[i].Reverse)
		list = append(list, w)
	}
	list = append(list, b.watchedProcesses(where, from.processes)...)
	list = append(list, from.proxy...)
	return slices.DeleteFunc(list, func(w settings.Watched) bool {
		if owned && w.Weight != 0 {
			b.diags.Warnf(w.Pos, w.Name, "%s: tracking %s is ignored: a weight cannot change priority 255", where, w.Name)
		}
		return owned && w.Weight != 0
	})
}
