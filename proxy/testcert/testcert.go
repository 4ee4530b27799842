// Package testcert makes what tests of TLS need: authorities and certificates, in PEM as an
// administrator would have them, and first messages of clients. Nothing but tests imports it.
//
//	ca := testcert.NewAuthority("Example CA")
//	bundle := ca.Issue(testcert.Request{Names: []string{"a.example"}})
package testcert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"sync/atomic"
	"time"
)

// Authority signs certificates.
type Authority struct {
	PEM  []byte // its certificate
	cert *x509.Certificate
	key  crypto.Signer
}

// Request is what a certificate shall be.
type Request struct {
	Name     string   // common name; the first of Names when empty
	Names    []string // DNS names
	RSA      bool     // an RSA key of 2048 bits in place of P-256
	NotAfter time.Time
}

// Issued is a certificate with its key.
type Issued struct {
	Bundle []byte // certificate and key
	Cert   []byte // the certificate alone
	Key    []byte
	Leaf   *x509.Certificate
}

var serial atomic.Int64

// NewAuthority makes an authority that signs itself.
func NewAuthority(name string) *Authority {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial.Add(1)), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte(name),
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return &Authority{PEM: block("CERTIFICATE", der), cert: must(x509.ParseCertificate(der)), key: key}
}

// Issue signs a certificate that servers and clients can use.
func (a *Authority) Issue(r Request) Issued {
	var key crypto.Signer = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	if r.RSA {
		key = must(rsa.GenerateKey(rand.Reader, 2048))
	}
	if r.Name == "" && len(r.Names) > 0 {
		r.Name = r.Names[0]
	}
	if r.NotAfter.IsZero() {
		r.NotAfter = time.Now().Add(24 * time.Hour)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial.Add(1)), Subject: pkix.Name{CommonName: r.Name}, DNSNames: r.Names,
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: r.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der := must(x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key))
	out := Issued{Cert: block("CERTIFICATE", der), Key: block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key))), Leaf: must(x509.ParseCertificate(der))}
	out.Bundle = append(append([]byte(nil), out.Cert...), out.Key...)
	return out
}

// Revoke is the authority's list of revoked certificates, in PEM.
func (a *Authority) Revoke(list ...Issued) []byte {
	template := &x509.RevocationList{Number: big.NewInt(serial.Add(1)), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour)}
	for _, i := range list {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: i.Leaf.SerialNumber, RevocationTime: time.Now().Add(-time.Minute)})
	}
	return block("X509 CRL", must(x509.CreateRevocationList(rand.Reader, template, a.cert, a.key)))
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // no chance and no memory: nothing to test
	}
	return v
}
