package proxy

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"herald/proxy/settings"
)

// TLSFiles lists every file that certificates, authorities and revocation
// lists came from, with the SHA-256 of what was read, and with nil those that
// may come to stand beside a certificate, and directories, which end in "/",
// for who can watch them.
func (s *Server) TLSFiles() map[string][]byte {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	sums := map[string][]byte{}
	s.eachTLS(func(f *settings.File) {
		sum := sha256.Sum256(f.Bytes)
		sums[f.Path] = sum[:]
	}, func(c *settings.Certificate) {
		for _, ext := range beside {
			if path := c.Files[0].Path + ext; sums[path] == nil {
				sums[path] = nil
			}
		}
	})
	for _, f := range s.frontends {
		for _, a := range f.acceptors {
			if a == nil {
				continue
			}
			for _, source := range a.wanted.Sources {
				if source.Dir {
					sums[inside(source.Path)] = nil
				}
			}
		}
	}
	return sums
}

// inside is the beginning of the paths of what lies in a directory.
func inside(dir string) string { return strings.TrimSuffix(dir, "/") + "/" }

// beside are the ends of the names of files that belong to a certificate.
var beside = []string{".key", ".issuer", ".ocsp", ".sctl"}

// eachTLS calls file with every file of the configuration, and certificate
// with every certificate.
func (s *Server) eachTLS(file func(*settings.File), certificate func(*settings.Certificate)) {
	side := func(t *settings.TLS) {
		for _, f := range []*settings.File{t.CA, t.CRL} {
			if f != nil {
				file(f)
			}
		}
	}
	pair := func(c *settings.Certificate) {
		for i := range c.Files {
			file(&c.Files[i])
		}
		certificate(c)
	}
	var bind func(*settings.BindTLS)
	bind = func(b *settings.BindTLS) {
		side(&b.TLS)
		for _, f := range []*settings.File{b.CAVerify, b.TicketKeys} {
			if f != nil {
				file(f)
			}
		}
		for i := range b.Certificates {
			c := &b.Certificates[i]
			pair(c)
			if c.Own != nil {
				bind(c.Own)
			}
		}
	}
	for _, f := range s.frontends {
		for _, a := range f.acceptors {
			if a != nil {
				bind(a.wanted)
			}
		}
	}
	for _, b := range s.backends {
		for _, t := range b.targets {
			if t.tls == nil {
				continue
			}
			side(&t.tls.wanted.TLS)
			if c := t.tls.wanted.Certificate; c != nil {
				pair(c)
			}
		}
	}
}

// Renew exchanges files by their paths, nil for one that is gone. New
// handshakes use the new certificates; connections that stand go on. Where
// the new files do not fit together, such as a certificate whose new key has
// not come yet, the old ones stay, and the error says so.
func (s *Server) Renew(files map[string][]byte) (renewed []string, err error) {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	var problems []error
	for _, f := range s.frontends {
		for i, a := range f.acceptors {
			if a == nil {
				continue
			}
			b, changed := newBind(a.wanted, files)
			if !changed {
				continue
			}
			what := f.cfg.Name + ": bind " + f.cfg.Binds[i].Name
			a.wanted = b
			now, err := accept(b)
			if err == nil {
				err = a.use(b, now)
			}
			if err != nil {
				problems = append(problems, fmt.Errorf("%s keeps its certificates: %w", what, err))
				continue
			}
			renewed = append(renewed, what)
		}
	}
	for _, b := range s.backends {
		for _, t := range b.targets {
			if t.tls == nil {
				continue
			}
			set := *t.tls.wanted
			changed := newSide(&set.TLS, files)
			if set.Certificate != nil {
				c, other := newCertificate(*set.Certificate, files)
				set.Certificate, changed = &c, changed || other
			}
			if !changed {
				continue
			}
			what := b.cfg.Name + "/" + t.cfg.Name
			t.tls.wanted = &set
			if err := t.tls.use(&set); err != nil {
				problems = append(problems, fmt.Errorf("server %s keeps its certificates: %w", what, err))
				continue
			}
			renewed = append(renewed, "server "+what)
		}
	}
	return renewed, errors.Join(problems...)
}

// newBind is b with the files that changed.
func newBind(b *settings.BindTLS, files map[string][]byte) (*settings.BindTLS, bool) {
	c := *b
	changed := newSide(&c.TLS, files)
	changed = newFile(&c.CAVerify, files) || changed
	changed = newFile(&c.TicketKeys, files) || changed
	own := map[*settings.BindTLS]*settings.BindTLS{}
	c.Certificates = slices.Clone(b.Certificates)
	for i := range c.Certificates {
		p, other := newCertificate(c.Certificates[i], files)
		changed = changed || other
		if old := p.Own; old != nil {
			if own[old] == nil {
				own[old], other = newBind(old, files)
				changed = changed || other
			}
			p.Own = own[old]
		}
		c.Certificates[i] = p
	}
	for _, source := range c.Sources {
		if source.Dir {
			changed = newDirectory(&c, inside(source.Path), files) || changed
		}
	}
	return &c, changed
}

// newDirectory takes in the certificates that came into a directory, and lets
// go of those that went.
func newDirectory(b *settings.BindTLS, dir string, files map[string][]byte) (changed bool) {
	for _, path := range slices.Sorted(maps.Keys(files)) {
		name, in := strings.CutPrefix(path, dir)
		if !in || name == "" || strings.Contains(name, "/") || name[0] == '.' || slices.Contains(beside, filepath.Ext(name)) {
			continue
		}
		at := slices.IndexFunc(b.Certificates, func(c settings.Certificate) bool { return c.Files[0].Path == path })
		switch {
		case files[path] == nil && at >= 0:
			b.Certificates = slices.Delete(b.Certificates, at, at+1)
		case files[path] != nil && at < 0:
			c, _ := newCertificate(settings.Certificate{Files: []settings.File{{Path: path, Bytes: files[path]}}}, files)
			b.Certificates = append(b.Certificates, c)
		default:
			continue
		}
		changed = true
	}
	return changed
}

func newSide(t *settings.TLS, files map[string][]byte) bool {
	changed := newFile(&t.CA, files)
	return newFile(&t.CRL, files) || changed
}

// newFile exchanges the file at f; one that is gone stays.
func newFile(f **settings.File, files map[string][]byte) bool {
	if *f == nil || files[(*f).Path] == nil {
		return false
	}
	*f = &settings.File{Path: (*f).Path, Bytes: files[(*f).Path]}
	return true
}

// newCertificate is c with the files that changed, and those that came to
// stand beside it or went.
func newCertificate(c settings.Certificate, files map[string][]byte) (settings.Certificate, bool) {
	changed := false
	var list []settings.File
	have := map[string]bool{}
	for i, f := range c.Files {
		have[f.Path] = true
		content, told := files[f.Path]
		switch {
		case told && content == nil && i > 0:
			changed = true
			continue
		case told && content != nil:
			f.Bytes, changed = content, true
		}
		list = append(list, f)
	}
	for _, ext := range beside {
		path := c.Files[0].Path + ext
		if content := files[path]; content != nil && !have[path] {
			list, changed = append(list, settings.File{Path: path, Bytes: content}), true
		}
	}
	c.Files = list
	return c, changed
}
