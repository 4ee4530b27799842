package tlsconf

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// crypto/x509 stops at the first error it meets. Where some are let pass, that
// is not enough: who made the certificate must be known also when it has
// expired. Faults finds all, in the order in which OpenSSL does
// (openssl-verification-options(1), "Certificate Path Validation").

// Verdict is what is wrong with a certificate that was let pass, as numbers of
// openssl-verify(1); 0 is nothing.
type Verdict struct {
	Verify      int // the last error of all
	Certificate int // the first of the other side's own certificate
	Authority   int // the first of its authorities
	Depth       int // the place of that authority, from 1
}

// verdict sums failures up.
func verdict(list []Failure) (v Verdict) {
	for _, f := range list {
		v.Verify = f.Code
		switch {
		case f.Depth == 0 && v.Certificate == 0:
			v.Certificate = f.Code
		case f.Depth > 0 && v.Authority == 0:
			v.Authority, v.Depth = f.Code, f.Depth
		}
	}
	return v
}

// longestChain bounds the certificates looked at, whatever the other side
// sends.
const longestChain = 20

// Faults is everything that is wrong with a chain as its sender gave it, for a
// use, at a time; empty when it is trusted.
func (v *Verifier) Faults(given []*x509.Certificate, now time.Time, use x509.ExtKeyUsage) []Failure {
	first := v.Check(given, now, use)
	if first == nil {
		return nil
	}
	p := v.way(given, now)
	list := p.untrusted()
	list = append(list, extensions(p.chain, use)...)
	if v.check {
		list = append(list, v.revocations(p.chain, now)...)
	}
	list = append(list, p.broken(now)...)
	if !slices.ContainsFunc(list, ofTrust) {
		list = append(list, v.hidden(given, p, list, use)...)
	}
	if len(list) == 0 {
		list = append(list, *first)
	}
	return list
}

// hidden is what crypto/x509 finds beyond list at a moment when every
// certificate of the path is valid.
func (v *Verifier) hidden(given []*x509.Certificate, p way, list []Failure, use x509.ExtKeyUsage) []Failure {
	from, to := p.chain[0].NotBefore, p.chain[0].NotAfter
	for _, c := range p.chain {
		if c.NotBefore.After(from) {
			from = c.NotBefore
		}
		if c.NotAfter.Before(to) {
			to = c.NotAfter
		}
	}
	if from.After(to) {
		return []Failure{{codeOther, 0, errors.New("its certificates are at no time valid together")}}
	}
	_, err := v.chains(given, to, use)
	if err == nil {
		return nil
	}
	f := explain(err, given[0], to)
	if slices.ContainsFunc(list, func(known Failure) bool { return known.Code == f.Code }) {
		return nil
	}
	return []Failure{*f}
}

// ofTrust reports a failure behind which nothing else matters: anybody can make
// such a certificate.
func ofTrust(f Failure) bool {
	switch f.Code {
	case codeSignature, codeSelfSigned, codeSelfSignedIn, codeNoIssuer, codeInvalidCA, codeTooLong:
		return true
	}
	return false
}

// way is a chain as OpenSSL builds it: from the certificate up, by names.
type way struct {
	chain    []*x509.Certificate
	anchored bool // its end is one of the authorities
}

func (v *Verifier) way(given []*x509.Certificate, now time.Time) way {
	p := way{chain: []*x509.Certificate{given[0]}, anchored: slices.ContainsFunc(v.authorities, given[0].Equal)}
	for len(p.chain) < longestChain {
		top := p.chain[len(p.chain)-1]
		if selfIssued(top) {
			break
		}
		if issuer := issuerAmong(v.authorities, top, now); issuer != nil {
			p.chain, p.anchored = append(p.chain, issuer), true
			continue
		}
		if p.anchored {
			break
		}
		issuer := issuerAmong(given[1:], top, now)
		if issuer == nil || slices.ContainsFunc(p.chain, issuer.Equal) {
			break
		}
		p.chain = append(p.chain, issuer)
	}
	return p
}

func selfIssued(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, c.RawSubject) }

// issuerAmong is the one that may have issued c by its name: one that is valid
// now before others, else the one that is or was valid longest.
func issuerAmong(list []*x509.Certificate, c *x509.Certificate, now time.Time) (best *x509.Certificate) {
	for _, i := range list {
		if !bytes.Equal(i.RawSubject, c.RawIssuer) || len(c.AuthorityKeyId) > 0 && len(i.SubjectKeyId) > 0 && !bytes.Equal(c.AuthorityKeyId, i.SubjectKeyId) {
			continue
		}
		if outdated(i, now) == 0 {
			return i
		}
		if best == nil || i.NotAfter.After(best.NotAfter) {
			best = i
		}
	}
	return best
}

// untrusted says why the end of the path is nobody's authority.
func (p way) untrusted() []Failure {
	last := len(p.chain) - 1
	switch {
	case p.anchored:
		return nil
	case !selfIssued(p.chain[last]):
		return []Failure{{codeNoIssuer, last, fmt.Errorf("signed by %s, who is not known", p.chain[last].Issuer)}}
	case last == 0:
		return []Failure{{codeSelfSigned, 0, errors.New("signed by itself")}}
	}
	return []Failure{{codeSelfSignedIn, last, fmt.Errorf("%s is not trusted", p.chain[last].Subject)}}
}

// extensions looks at what each certificate may be used for.
func extensions(chain []*x509.Certificate, use x509.ExtKeyUsage) (list []Failure) {
	between := 0
	for depth, c := range chain {
		if depth > 0 && !mayIssue(c) {
			list = append(list, Failure{codeInvalidCA, depth, fmt.Errorf("%s is no authority", c.Subject)})
		}
		if !mayBeUsed(c, use) || depth > 0 && !mayIssue(c) {
			list = append(list, Failure{codePurpose, depth, fmt.Errorf("%s is for another use", c.Subject)})
		}
		if depth == 0 {
			continue
		}
		if (c.MaxPathLen > 0 || c.MaxPathLenZero) && between > c.MaxPathLen {
			list = append(list, Failure{codeTooLong, depth, fmt.Errorf("too many authorities below %s", c.Subject)})
		}
		if !selfIssued(c) {
			between++
		}
	}
	return list
}

func mayIssue(c *x509.Certificate) bool {
	if c.Version < 3 {
		return selfIssued(c)
	}
	return c.BasicConstraintsValid && c.IsCA && (c.KeyUsage == 0 || c.KeyUsage&x509.KeyUsageCertSign != 0)
}

func mayBeUsed(c *x509.Certificate, use x509.ExtKeyUsage) bool {
	return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 || slices.Contains(c.ExtKeyUsage, use) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// broken looks at signatures and times, from the end of the path down.
func (p way) broken(now time.Time) (list []Failure) {
	at := len(p.chain) - 1
	switch {
	case p.anchored, selfIssued(p.chain[at]): // nobody above it has signed it
		list = p.outdated(list, at, now)
	case at == 0:
		list = append(list, Failure{codeUnverified, 0, errors.New("its signature cannot be verified")})
		list = p.outdated(list, at, now)
	}
	for at--; at >= 0; at-- {
		c, issuer := p.chain[at], p.chain[at+1]
		if err := issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature); err != nil {
			list = append(list, Failure{codeSignature, at, err})
		}
		list = p.outdated(list, at, now)
	}
	return list
}

func (p way) outdated(list []Failure, depth int, now time.Time) []Failure {
	if code := outdated(p.chain[depth], now); code != 0 {
		return append(list, Failure{code, depth, fmt.Errorf("%s is valid from %s to %s", p.chain[depth].Subject, p.chain[depth].NotBefore, p.chain[depth].NotAfter)})
	}
	return list
}

// outdated is the number for a certificate that is not valid now, or 0.
func outdated(c *x509.Certificate, now time.Time) int {
	switch {
	case now.Before(c.NotBefore):
		return codeNotYet
	case now.After(c.NotAfter):
		return codeExpired
	}
	return 0
}
