// Package directive knows every keyword of keepalived.conf(5): what it is
// called, how it is written, what it does here, and whether herald acts on it
// yet.
//
// It turns the statements of config/block into the plain values of
// vrrp/settings and reports what it finds on the way. It opens no file, looks
// up no host name and runs no command; what it needs to know about the host
// is in Options.
//
//	var diags config.Diagnostics
//	tree := block.Parse(disk.Files{}, block.Options{Path: path, ConfigID: host}, &diags)
//	cfg := directive.Build(tree, directive.Options{HostName: host}, &diags)
//	diags.Sort()
//	for _, d := range diags.List() {
//		fmt.Println(d)
//	}
//	for _, in := range cfg.Instances {
//		fmt.Println(in.Name, in.Interface, in.VRID)
//	}
package directive
