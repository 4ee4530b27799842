package tlsconf

import (
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/crypto/ocsp"
)

// checkStaple refuses an OCSP response that is not for the certificate or
// does not say that it is good; clients would break off for it. The first of
// signers, if there is one, has signed it.
func checkStaple(der []byte, leaf *x509.Certificate, signers [][]byte) error {
	var issuer *x509.Certificate
	if len(signers) > 0 {
		issuer, _ = x509.ParseCertificate(signers[0])
	}
	r, err := ocsp.ParseResponseForCert(der, leaf, issuer)
	switch {
	case err != nil:
		return fmt.Errorf("OCSP response: %w", err)
	case r.Status != ocsp.Good:
		return errors.New("OCSP response: the certificate is not good")
	}
	return nil
}

// timestamps takes a SignedCertificateTimestampList apart (RFC 6962 section
// 3.3).
func timestamps(list []byte) ([][]byte, error) {
	broken := errors.New("no list of signed certificate timestamps")
	if len(list) < 2 || int(binary.BigEndian.Uint16(list)) != len(list)-2 {
		return nil, broken
	}
	var out [][]byte
	for rest := list[2:]; len(rest) > 0; {
		if len(rest) < 2 {
			return nil, broken
		}
		n := int(binary.BigEndian.Uint16(rest))
		if n == 0 || len(rest) < 2+n {
			return nil, broken
		}
		out = append(out, rest[2:2+n])
		rest = rest[2+n:]
	}
	return out, nil
}
