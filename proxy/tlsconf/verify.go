package tlsconf

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"

	"herald/proxy/settings"
)

// Verifier checks certificates of the other side against authorities and
// revocation lists. It is immutable.
type Verifier struct {
	roots *x509.CertPool
	named *x509.CertPool // whose names clients are told
	crls  []*x509.RevocationList
	check bool // crls are given
	// authorities are those of roots; only with errors that are let pass.
	authorities []*x509.Certificate
}

// NewVerifier reads the authorities and revocation lists of a bind line.
func NewVerifier(b *settings.BindTLS) (*Verifier, error) {
	v, err := newVerifier(&b.TLS)
	if err != nil {
		return nil, err
	}
	v.named = v.roots
	if b.CAVerify != nil {
		v.roots = v.roots.Clone()
		if err := addCertificates(v.roots, b.CAVerify); err != nil {
			return nil, err
		}
	}
	if lenient(b) {
		for _, f := range []*settings.File{b.CA, b.CAVerify} {
			if f != nil {
				v.authorities = append(v.authorities, certificatesIn(f)...)
			}
		}
	}
	return v, nil
}

// lenient reports whether b lets some errors pass.
func lenient(b *settings.BindTLS) bool {
	some := func(e settings.IgnoredErrors) bool { return e.All || len(e.Numbers) > 0 }
	return some(b.CAIgnore) || some(b.CertIgnore)
}

func newVerifier(t *settings.TLS) (*Verifier, error) {
	v := &Verifier{roots: x509.NewCertPool()}
	if t.CA != nil {
		if err := addCertificates(v.roots, t.CA); err != nil {
			return nil, err
		}
	}
	v.named = v.roots
	if t.CRL == nil {
		return v, nil
	}
	v.check = true
	for rest := t.CRL.Bytes; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		if b.Type != "X509 CRL" {
			continue
		}
		crl, err := parseCRL(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.CRL.Path, err)
		}
		v.crls = append(v.crls, crl)
	}
	if len(v.crls) == 0 {
		return nil, fmt.Errorf("%s: no revocation list in PEM form", t.CRL.Path)
	}
	return v, nil
}

// CheckFile reports what is wrong with a file of authorities.
func CheckFile(f *settings.File) error { return addCertificates(x509.NewCertPool(), f) }

// CheckRevocations reports what is wrong with a file of revocation lists.
func CheckRevocations(f *settings.File) error {
	_, err := newVerifier(&settings.TLS{CRL: f})
	return err
}

func addCertificates(pool *x509.CertPool, f *settings.File) error {
	list := certificatesIn(f)
	if len(list) == 0 {
		return fmt.Errorf("%s: no certificate in PEM form", f.Path)
	}
	for _, c := range list {
		pool.AddCert(c)
	}
	return nil
}

func certificatesIn(f *settings.File) (list []*x509.Certificate) {
	for rest := f.Bytes; ; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		if b.Type != "CERTIFICATE" && b.Type != "X509 CERTIFICATE" && b.Type != "TRUSTED CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			continue // one that Go refuses must not take the others along
		}
		list = append(list, c)
	}
	return list
}

// Failure is why a certificate is not trusted, in openssl-verify(1)'s numbers.
type Failure struct {
	Code  int
	Depth int // 0 is the other side's own certificate
	Err   error
}

// Numbers of openssl-verify(1), "Diagnostics".
const (
	codeNoCRL      = 3
	codeCRLExpired = 12
	codeNotYet     = 9
	codeExpired    = 10
	codeSelfSigned = 18
	codeNoIssuer   = 20
	codeRevoked    = 23
	codePurpose    = 26
	codeOther      = 1

	codeSignature    = 7
	codeSelfSignedIn = 19 // somewhere above the other side's own
	codeUnverified   = 21
	codeTooLong      = 25
	codeInvalidCA    = 79
)

func (f *Failure) Error() string {
	return fmt.Sprintf("certificate not trusted (%d): %v", f.Code, f.Err)
}

func (f *Failure) Unwrap() error { return f.Err }

// ignored reports whether the bind line lets the failure pass.
func (f *Failure) ignored(b *settings.BindTLS) bool {
	set := b.CertIgnore
	if f.Depth > 0 {
		set = b.CAIgnore
	}
	return set.All || slices.Contains(set.Numbers, f.Code)
}

// Check verifies a chain as its sender gave it, for a use, at a time. nil
// means that it is trusted.
func (v *Verifier) Check(given []*x509.Certificate, now time.Time, use x509.ExtKeyUsage) *Failure {
	chains, err := v.chains(given, now, use)
	if err != nil {
		return explain(err, given[0], now)
	}
	if !v.check {
		return nil
	}
	var last []Failure
	for _, chain := range chains {
		if last = v.revocations(chain, now); len(last) == 0 {
			return nil
		}
	}
	return &last[0]
}

// chains are the ways from a certificate to an authority.
func (v *Verifier) chains(given []*x509.Certificate, now time.Time, use x509.ExtKeyUsage) ([][]*x509.Certificate, error) {
	between := x509.NewCertPool()
	for _, c := range given[1:] {
		between.AddCert(c)
	}
	return given[0].Verify(x509.VerifyOptions{Roots: v.roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{use}})
}

// explain finds OpenSSL's number for an error of crypto/x509.
func explain(err error, leaf *x509.Certificate, now time.Time) *Failure {
	f := &Failure{Code: codeOther, Err: err}
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &invalid):
		if invalid.Cert != nil && !invalid.Cert.Equal(leaf) {
			f.Depth = 1
		}
		switch invalid.Reason {
		case x509.Expired:
			f.Code = codeExpired
			if invalid.Cert != nil && now.Before(invalid.Cert.NotBefore) {
				f.Code = codeNotYet
			}
		case x509.NotAuthorizedToSign:
			f.Code = codeInvalidCA
		case x509.TooManyIntermediates:
			f.Code = codeTooLong
		case x509.IncompatibleUsage:
			f.Code = codePurpose
		}
	case errors.As(err, &unknown):
		f.Code = codeNoIssuer
		if bytes.Equal(leaf.RawIssuer, leaf.RawSubject) {
			f.Code = codeSelfSigned
		}
	}
	return f
}

// revocations looks every certificate of a chain up in its issuer's list, as
// OpenSSL does with X509_V_FLAG_CRL_CHECK_ALL: an issuer without a list is an
// error.
func (v *Verifier) revocations(chain []*x509.Certificate, now time.Time) (list []Failure) {
	for depth, c := range chain {
		issuer := chain[min(depth+1, len(chain)-1)]
		crl := v.listOf(issuer)
		switch {
		case crl == nil:
			list = append(list, Failure{codeNoCRL, depth, fmt.Errorf("no revocation list of %s", issuer.Subject)})
			continue
		case !crl.NextUpdate.IsZero() && now.After(crl.NextUpdate):
			list = append(list, Failure{codeCRLExpired, depth, fmt.Errorf("the revocation list of %s has expired", issuer.Subject)})
		}
		for i := range crl.RevokedCertificateEntries {
			if crl.RevokedCertificateEntries[i].SerialNumber.Cmp(c.SerialNumber) == 0 {
				list = append(list, Failure{codeRevoked, depth, fmt.Errorf("%s is revoked", c.Subject)})
			}
		}
	}
	return list
}

func (v *Verifier) listOf(issuer *x509.Certificate) *x509.RevocationList {
	for _, crl := range v.crls {
		if bytes.Equal(crl.RawIssuer, issuer.RawSubject) && crl.CheckSignatureFrom(issuer) == nil {
			return crl
		}
	}
	return nil
}
