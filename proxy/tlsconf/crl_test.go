package tlsconf

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"
)

// ofVersion1 is the revocation list of an authority as openssl makes it by
// default, with these two names of its signature algorithm.
func ofVersion1(t *testing.T, by *signed, inside, outside asn1.ObjectIdentifier, revoked ...int64) []byte {
	t.Helper()
	l := tbsV1{Algorithm: pkix.AlgorithmIdentifier{Algorithm: inside}, Issuer: asn1.RawValue{FullBytes: by.RawSubject},
		ThisUpdate: time.Now().Add(-time.Hour).UTC().Truncate(time.Second), NextUpdate: time.Now().Add(time.Hour).UTC().Truncate(time.Second)}
	for _, n := range revoked {
		l.Revoked = append(l.Revoked, pkix.RevokedCertificate{SerialNumber: big.NewInt(n), RevocationTime: l.ThisUpdate})
	}
	tbs, err := asn1.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(tbs)
	signature, err := ecdsa.SignASN1(rand.Reader, by.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	l.Raw = tbs
	der, err := asn1.Marshal(listV1{List: l, Algorithm: pkix.AlgorithmIdentifier{Algorithm: outside}, Signature: asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

var ecdsaWithSHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}

func TestRevocationListsOfVersion1(t *testing.T) {
	ca := issue(t, nil, authorityNamed("ca"))
	der := ofVersion1(t, ca, ecdsaWithSHA256, ecdsaWithSHA256, 7, 8)
	l, err := parseCRL(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.CheckSignatureFrom(ca.Certificate); err != nil {
		t.Errorf("its signature: %v", err)
	}
	if n := l.RevokedCertificateEntries; len(n) != 2 || n[0].SerialNumber.Int64() != 7 || n[1].SerialNumber.Int64() != 8 {
		t.Errorf("revoked: %v", n)
	}
	if time.Until(l.NextUpdate) < 50*time.Minute || time.Since(l.ThisUpdate) < 50*time.Minute {
		t.Errorf("from %v to %v", l.ThisUpdate, l.NextUpdate)
	}
	other := issue(t, nil, authorityNamed("ca"))
	if l.CheckSignatureFrom(other.Certificate) == nil {
		t.Error("another authority's signature was taken")
	}
	if l, err := parseCRL(ofVersion1(t, ca, ecdsaWithSHA256, ecdsaWithSHA256)); err != nil || len(l.RevokedCertificateEntries) != 0 {
		t.Errorf("an empty one: %v", err)
	}
	md5 := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 4}
	for want, der := range map[string][]byte{
		"not known here":           ofVersion1(t, ca, md5, md5),
		"two signature algorithms": ofVersion1(t, ca, md5, ecdsaWithSHA256),
		"crl":                      append(der[:len(der):len(der)], 0),
	} {
		if _, err := parseCRL(der); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}
