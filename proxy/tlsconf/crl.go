package tlsconf

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"
)

// parseCRL reads a revocation list of version 2, or of version 1, which openssl
// makes unless told otherwise and crypto/x509 refuses (RFC 5280 section 5.1).
func parseCRL(der []byte) (*x509.RevocationList, error) {
	list, err := x509.ParseRevocationList(der)
	if err == nil {
		return list, nil
	}
	var old listV1
	if rest, unread := asn1.Unmarshal(der, &old); unread != nil || len(rest) > 0 {
		return nil, err
	}
	algorithm, known := signatureAlgorithms[old.Algorithm.Algorithm.String()]
	switch {
	case !known:
		return nil, fmt.Errorf("a revocation list of version 1 is signed with %v, which is not known here", old.Algorithm.Algorithm)
	case !old.List.Algorithm.Algorithm.Equal(old.Algorithm.Algorithm):
		return nil, errors.New("a revocation list names two signature algorithms")
	}
	list = &x509.RevocationList{Raw: der, RawTBSRevocationList: old.List.Raw, RawIssuer: old.List.Issuer.FullBytes,
		Signature: old.Signature.RightAlign(), SignatureAlgorithm: algorithm, ThisUpdate: old.List.ThisUpdate, NextUpdate: old.List.NextUpdate}
	for _, c := range old.List.Revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: c.RevocationTime})
	}
	return list, nil
}

type listV1 struct {
	List      tbsV1
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}

// tbsV1 is what is signed: version 1 has neither a version nor extensions.
type tbsV1 struct {
	Raw        asn1.RawContent
	Algorithm  pkix.AlgorithmIdentifier
	Issuer     asn1.RawValue
	ThisUpdate time.Time
	NextUpdate time.Time                 `asn1:"optional"`
	Revoked    []pkix.RevokedCertificate `asn1:"optional"`
}

// signatureAlgorithms by their identifiers (RFC 3279, 4055, 5758, 8410).
var signatureAlgorithms = map[string]x509.SignatureAlgorithm{
	"1.2.840.113549.1.1.5":  x509.SHA1WithRSA,
	"1.2.840.113549.1.1.11": x509.SHA256WithRSA,
	"1.2.840.113549.1.1.12": x509.SHA384WithRSA,
	"1.2.840.113549.1.1.13": x509.SHA512WithRSA,
	"1.2.840.10045.4.1":     x509.ECDSAWithSHA1,
	"1.2.840.10045.4.3.2":   x509.ECDSAWithSHA256,
	"1.2.840.10045.4.3.3":   x509.ECDSAWithSHA384,
	"1.2.840.10045.4.3.4":   x509.ECDSAWithSHA512,
	"1.3.101.112":           x509.PureEd25519,
}
