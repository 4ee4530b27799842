package tlsconf

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"herald/proxy/settings"
)

// Pair is a certificate with its chain and key, ready to be shown. It is
// immutable.
type Pair struct {
	Path string // the file that was named
	TLS  tls.Certificate
	// Names are what it is for, in lower case: filters of a crt-list, else
	// what the certificate holds. "*.example.com" stands for one label.
	Names   []string
	Exclude []string // names taken out by "!" filters
	Own     *settings.BindTLS
}

// Load makes a pair of the files of a certificate: certificates in the order
// of the chain, and the key, in PEM. The key may lie in FILE.key, an OCSP
// response (DER) in FILE.ocsp, and in FILE.issuer who signed that, when the
// chain does not have it.
func Load(c settings.Certificate) (*Pair, error) {
	if len(c.Files) == 0 {
		return nil, errors.New("no certificate file")
	}
	main := c.Files[0]
	p := &Pair{Path: main.Path, Own: c.Own}
	chain, key, err := blocks(main.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", main.Path, err)
	}
	if len(chain) == 0 {
		return nil, fmt.Errorf("%s: no certificate found in PEM format", main.Path)
	}
	signers := chain[1:]
	for _, f := range c.Files[1:] {
		switch path.Ext(f.Path) {
		case ".issuer":
			more, _, err := blocks(f.Bytes)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.Path, err)
			}
			signers = slices.Concat(more, signers)
		case ".key":
			if key != nil {
				continue // the file's own key comes first
			}
			if _, key, err = blocks(f.Bytes); err != nil {
				return nil, fmt.Errorf("%s: %w", f.Path, err)
			}
		case ".ocsp":
			p.TLS.OCSPStaple = f.Bytes
		case ".sctl":
			if p.TLS.SignedCertificateTimestamps, err = timestamps(f.Bytes); err != nil {
				return nil, fmt.Errorf("%s: %w", f.Path, err)
			}
		}
	}
	if key == nil {
		return nil, fmt.Errorf("%s: %w, neither in the file nor in %s.key", main.Path, ErrNoKey, main.Path)
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", main.Path, err)
	}
	if !fits(key, leaf) {
		return nil, fmt.Errorf("%s: the private key does not belong to the certificate", main.Path)
	}
	if staple := p.TLS.OCSPStaple; staple != nil {
		if err := checkStaple(staple, leaf, signers); err != nil {
			return nil, fmt.Errorf("%s.ocsp: %w", main.Path, err)
		}
	}
	p.TLS.Certificate, p.TLS.PrivateKey, p.TLS.Leaf = chain, key, leaf
	p.name(c.Filters)
	return p, nil
}

// ErrNoKey says that a certificate has come without its key.
var ErrNoKey = errors.New("no private key")

// Leaf is the certificate alone, whose key may be missing.
func Leaf(c settings.Certificate) (*x509.Certificate, error) {
	chain, _, err := blocks(c.Files[0].Bytes)
	if err != nil {
		return nil, err
	}
	if len(chain) == 0 {
		return nil, errors.New("no certificate found in PEM format")
	}
	return x509.ParseCertificate(chain[0])
}

// blocks takes the certificates and the first key out of PEM text.
func blocks(text []byte) (chain [][]byte, key crypto.Signer, err error) {
	for {
		var b *pem.Block
		if b, text = pem.Decode(text); b == nil {
			return chain, key, nil
		}
		switch {
		case b.Type == "CERTIFICATE", b.Type == "X509 CERTIFICATE", b.Type == "TRUSTED CERTIFICATE":
			chain = append(chain, b.Bytes)
		case strings.HasSuffix(b.Type, "PRIVATE KEY") && key == nil:
			if b.Headers["Proc-Type"] != "" || b.Type == "ENCRYPTED PRIVATE KEY" {
				return nil, nil, errors.New("the private key is encrypted; nobody could type its password")
			}
			if key, err = parseKey(b.Bytes); err != nil {
				return nil, nil, err
			}
		}
	}
}

// parseKey reads a key in PKCS #8, PKCS #1 or SEC 1 form.
func parseKey(der []byte) (crypto.Signer, error) {
	if k, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return k, nil
	}
	if k, err := x509.ParseECPrivateKey(der); err == nil {
		return k, nil
	}
	k, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("the private key is in no form that is known: PKCS #8, PKCS #1 or SEC 1")
	}
	s, ok := k.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("the private key (%T) cannot sign", k)
	}
	return s, nil
}

// fits reports whether key is the private half of the certificate's.
func fits(key crypto.Signer, leaf *x509.Certificate) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(leaf.PublicKey)
}

// name sets what the pair is for.
func (p *Pair) name(filters []string) {
	for _, f := range filters {
		if out, ok := strings.CutPrefix(f, "!"); ok {
			p.Exclude = append(p.Exclude, strings.ToLower(out))
		} else {
			p.Names = append(p.Names, strings.ToLower(f))
		}
	}
	if len(p.Names) > 0 {
		return
	}
	p.Names = Holds(p.TLS.Leaf)
}

// Holds is the names a certificate is made for, in lower case: its DNS names
// and its common name.
func Holds(c *x509.Certificate) []string {
	var names []string
	for _, n := range c.DNSNames {
		names = append(names, strings.ToLower(n))
	}
	if cn := strings.ToLower(c.Subject.CommonName); cn != "" && !contains(names, cn) {
		names = append(names, cn)
	}
	return names
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// Algorithm names the key of a certificate as "show ssl cert" does: RSA2048,
// EC256.
func Algorithm(c *x509.Certificate) string {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA%d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return fmt.Sprintf("EC%d", k.Curve.Params().BitSize)
	case ed25519.PublicKey:
		return "ED25519"
	}
	return c.PublicKeyAlgorithm.String()
}

// RSA reports whether the key of the pair is an RSA one, whose signatures
// cost this program about twice what they cost OpenSSL.
func (p *Pair) RSA() bool {
	_, ok := p.TLS.PrivateKey.(*rsa.PrivateKey)
	return ok
}
