package admin

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"herald/config"
)

// Certificate is what `show ssl cert` prints of one.
type Certificate struct {
	Path                string
	Serial              string // upper-case hexadecimal
	NotBefore, NotAfter time.Time
	Names               []string // "DNS:a.example", "IP Address:192.0.2.1"
	Algorithm           string   // "EC256", "RSA2048"
	SHA1                string   // upper-case hexadecimal
	Subject, Issuer     string   // "/CN=a.example"
}

// CertificateList is a crt-list.
type CertificateList struct {
	Path  string
	Lines []CertificateLine
}

// CertificateLine is one line of it.
type CertificateLine struct {
	Number  int
	Path    string
	Options []string
	Filters []string
}

// Errors of TryCertificate, with HAProxy's texts.
var (
	ErrNotReferenced = errors.New("Can't replace a certificate which is not referenced by the configuration!")
	ErrIncomplete    = errors.New("The transaction must contain at least a certificate and a private key!")
)

// transaction is the change of a certificate that waits for its commit. One
// waits at a time, as in HAProxy; Server.changing guards it.
type transaction struct {
	path  string // of the certificate; empty when there is none
	files map[string][]byte
	cert  Certificate
}

// certificateRows are the commands about certificates.
var certificateRows = []config.Row[command]{
	{Name: "show ssl cert", Syntax: "show ssl cert [<certfile>]", Doc: "display the SSL certificates used in memory, or the details of a file", Example: "show ssl cert /etc/haproxy/site.pem", Do: command{Operator, showCertificates}},
	{Name: "set ssl cert", Syntax: "set ssl cert <certfile> <payload>", Doc: "replace a certificate file", Example: "set ssl cert /etc/haproxy/site.pem", Do: command{Admin, setCertificate}},
	{Name: "commit ssl cert", Syntax: "commit ssl cert <certfile>", Doc: "commit a certificate file", Example: "commit ssl cert /etc/haproxy/site.pem", Do: command{Admin, commitCertificate}},
	{Name: "abort ssl cert", Syntax: "abort ssl cert <certfile>", Doc: "abort a transaction for a certificate file", Example: "abort ssl cert /etc/haproxy/site.pem", Do: command{Admin, abortCertificate}},
	{Name: "show ssl crt-list", Syntax: "show ssl crt-list [-n] [<list>]", Doc: "show the list of crt-lists or the content of a crt-list file <list>", Example: "show ssl crt-list", Do: command{Operator, showCertificateLists}},
}

func showCertificates(x *session, args []string) {
	x.server.changing.Lock()
	waits := x.server.change
	x.server.changing.Unlock()
	list := x.server.proxy.Certificates()
	if len(args) == 0 {
		if waits.path != "" {
			x.print("# transaction\n*", waits.path, "\n")
		}
		x.print("# filename\n")
		for _, c := range list {
			x.print(c.Path, "\n")
		}
		return
	}
	if waits.path != "" && args[0] == "*"+waits.path {
		x.certificate(waits.cert, "*", "Unused")
		return
	}
	for _, c := range list {
		if c.Path == args[0] {
			x.certificate(c, "", "Used")
			return
		}
	}
	x.err("Can't display the certificate: Not found or the certificate is a bundle!")
}

// certificate prints one in OpenSSL's forms.
func (x *session) certificate(c Certificate, mark, status string) {
	const date = "Jan _2 15:04:05 2006 GMT"
	for _, line := range [][2]string{{"Filename", mark + c.Path}, {"Status", status}, {"Serial", c.Serial}, {"notBefore", c.NotBefore.UTC().Format(date)},
		{"notAfter", c.NotAfter.UTC().Format(date)}, {"Subject Alternative Name", strings.Join(c.Names, ", ")}, {"Algorithm", c.Algorithm},
		{"SHA1 FingerPrint", c.SHA1}, {"Subject", oneLine(c.Subject)}, {"Issuer", oneLine(c.Issuer)}, {"OCSP Response Key", ""}} {
		x.print(line[0], ": ", line[1], "\n")
	}
}

// ends are the kinds of files that belong to a certificate.
var ends = []string{".key", ".issuer", ".ocsp", ".sctl"}

func setCertificate(x *session, args []string) {
	if len(args) == 0 || x.payload == "" {
		x.err("'set ssl cert expects a filename and a certificate as a payload")
		return
	}
	path := args[0]
	known := func(p string) bool {
		return slices.ContainsFunc(x.server.proxy.Certificates(), func(c Certificate) bool { return c.Path == p })
	}
	for _, end := range ends {
		if base, ok := strings.CutSuffix(path, end); ok && !known(path) && known(base) {
			path = base
		}
	}
	s := x.server
	s.changing.Lock()
	defer s.changing.Unlock()
	created := "created"
	files := map[string][]byte{}
	if s.change.path != "" {
		if s.change.path != path {
			x.err(fmt.Sprintf("The ongoing transaction is about '%s' but you are trying to set '%s'", s.change.path, path))
			return
		}
		created = "updated"
		for p, b := range s.change.files {
			files[p] = b
		}
	}
	files[args[0]] = []byte(x.payload)
	c, err := s.proxy.TryCertificate(path, files)
	if err != nil && !errors.Is(err, ErrIncomplete) {
		x.err(oneLine(err.Error()) + "\nCan't update " + args[0] + "!")
		return
	}
	s.change = transaction{path, files, c}
	x.info("Transaction " + created + " for certificate " + path + "!")
}

func commitCertificate(x *session, args []string) {
	if len(args) == 0 {
		x.err("'commit ssl cert expects a filename")
		return
	}
	s := x.server
	s.changing.Lock()
	defer s.changing.Unlock()
	switch s.change.path {
	case args[0]:
	case "":
		x.err("No ongoing transaction! !\nCan't commit " + args[0] + "!")
		return
	default:
		x.err(fmt.Sprintf("The ongoing transaction is about '%s' but you are trying to set '%s'\nCan't commit %s!", s.change.path, args[0], args[0]))
		return
	}
	_, err := s.proxy.TryCertificate(args[0], s.change.files)
	if err == nil {
		err = s.proxy.ReplaceCertificate(s.change.files)
	}
	if err != nil {
		x.err(oneLine(err.Error()) + "\nCan't commit " + args[0] + "!")
		return
	}
	s.change = transaction{}
	x.print("Committing ", args[0], ".\nSuccess!\n")
}

func abortCertificate(x *session, args []string) {
	if len(args) == 0 {
		x.err("'abort ssl cert' expects a filename")
		return
	}
	s := x.server
	s.changing.Lock()
	defer s.changing.Unlock()
	switch s.change.path {
	case args[0]:
		s.change = transaction{}
		x.info("Transaction aborted for certificate '" + args[0] + "'!")
	case "":
		x.err("No ongoing transaction!")
	default:
		x.err(fmt.Sprintf("The ongoing transaction is about '%s' but you are trying to abort a transaction for '%s'", s.change.path, args[0]))
	}
}

func showCertificateLists(x *session, args []string) {
	numbers := len(args) > 0 && args[0] == "-n"
	if numbers {
		args = args[1:]
	}
	lists := x.server.proxy.CertificateLists()
	if len(args) == 0 {
		for _, l := range lists {
			x.print(l.Path, "\n")
		}
		return
	}
	at := slices.IndexFunc(lists, func(l CertificateList) bool { return l.Path == args[0] })
	if at < 0 {
		x.err("didn't find the specified filename")
		return
	}
	x.print("# ", lists[at].Path, "\n")
	for _, l := range lists[at].Lines {
		x.print(l.Path)
		if numbers {
			x.print(fmt.Sprintf(":%d", l.Number))
		}
		if len(l.Options) > 0 {
			x.print(" [", strings.Join(l.Options, " "), " ]")
		}
		for _, f := range l.Filters {
			x.print(" ", f)
		}
		x.print("\n")
	}
}
