package proxy

import (
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"slices"
	"strings"

	"herald/proxy/admin"
	"herald/proxy/settings"
	"herald/proxy/tlsconf"
)

// Certificates answers the certificates in use, sorted by path.
func (s *Server) Certificates() []admin.Certificate {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	var list []admin.Certificate
	seen := map[string]bool{}
	s.eachTLS(func(*settings.File) {}, func(c *settings.Certificate) {
		if p, err := tlsconf.Load(*c); err == nil && !seen[p.Path] {
			seen[p.Path] = true
			list = append(list, describeCertificate(p.Path, p.TLS.Leaf))
		}
	})
	slices.SortFunc(list, func(a, b admin.Certificate) int { return strings.Compare(a.Path, b.Path) })
	return list
}

// TryCertificate reads files as those of the certificate at path, with those
// in use for what is not given.
func (s *Server) TryCertificate(path string, files map[string][]byte) (admin.Certificate, error) {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	var found *settings.Certificate
	s.eachTLS(func(*settings.File) {}, func(c *settings.Certificate) {
		if c.Files[0].Path == path && found == nil {
			found = c
		}
	})
	if found == nil {
		return admin.Certificate{}, admin.ErrNotReferenced
	}
	c, _ := newCertificate(*found, files)
	leaf, err := tlsconf.Leaf(c)
	if err != nil {
		return admin.Certificate{}, fmt.Errorf("unable to load certificate from file '%s'.", path)
	}
	if _, err = tlsconf.Load(c); errors.Is(err, tlsconf.ErrNoKey) {
		err = admin.ErrIncomplete
	}
	return describeCertificate(path, leaf), err
}

// ReplaceCertificate uses files in place of those in use, until the files on
// disk change or the configuration is read again.
func (s *Server) ReplaceCertificate(files map[string][]byte) error {
	_, err := s.Renew(files)
	return err
}

// CertificateLists answers the crt-lists, each once.
func (s *Server) CertificateLists() []admin.CertificateList {
	var lists []admin.CertificateList
	for _, f := range s.frontends {
		for _, b := range f.cfg.Binds {
			if b.TLS == nil {
				continue
			}
			for _, source := range b.TLS.Sources {
				if !source.List || slices.ContainsFunc(lists, func(l admin.CertificateList) bool { return l.Path == source.Path }) {
					continue
				}
				l := admin.CertificateList{Path: source.Path}
				for _, line := range source.Lines {
					l.Lines = append(l.Lines, admin.CertificateLine(line))
				}
				lists = append(lists, l)
			}
		}
	}
	return lists
}

func describeCertificate(path string, c *x509.Certificate) admin.Certificate {
	out := admin.Certificate{Path: path, Serial: fmt.Sprintf("%X", c.SerialNumber.Bytes()), NotBefore: c.NotBefore, NotAfter: c.NotAfter,
		Algorithm: tlsconf.Algorithm(c), SHA1: fmt.Sprintf("%X", sha1.Sum(c.Raw)), Subject: oneLineName(c.Subject), Issuer: oneLineName(c.Issuer)}
	for _, n := range c.DNSNames {
		out.Names = append(out.Names, "DNS:"+n)
	}
	for _, ip := range c.IPAddresses {
		out.Names = append(out.Names, "IP Address:"+ip.String())
	}
	return out
}

// nameTypes are the short names of the parts of a distinguished name (RFC
// 4519), by object identifier.
var nameTypes = map[string]string{"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
	"2.5.4.9": "street", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.42": "GN", "1.2.840.113549.1.9.1": "emailAddress",
	"0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID"}

// oneLineName is a name in the form OpenSSL prints on one line.
func oneLineName(n pkix.Name) string {
	var b strings.Builder
	for _, part := range n.Names {
		kind := part.Type.String()
		if short, ok := nameTypes[kind]; ok {
			kind = short
		}
		fmt.Fprintf(&b, "/%s=%v", kind, part.Value)
	}
	return b.String()
}
