package tlsconf

import (
	"crypto/tls"
	"fmt"

	"herald/proxy/settings"
)

// versions are the protocol versions by OpenSSL's names.
var versions = []struct {
	id   uint16
	name string
}{
	{tls.VersionTLS10, "TLSv1.0"},
	{tls.VersionTLS11, "TLSv1.1"},
	{tls.VersionTLS12, "TLSv1.2"},
	{tls.VersionTLS13, "TLSv1.3"},
}

// Version is the number of a version as ssl-min-ver has it. SSLv3, which
// crypto/tls does not speak, is TLS 1.0.
func Version(name string) (uint16, error) {
	if name == "SSLv3" {
		return tls.VersionTLS10, nil
	}
	for _, v := range versions {
		if v.name == name {
			return v.id, nil
		}
	}
	return 0, fmt.Errorf("%q is not SSLv3, TLSv1.0, TLSv1.1, TLSv1.2 or TLSv1.3", name)
}

// VersionName is the name in logs: TLS 1.0 is "TLSv1" there.
func VersionName(id uint16) string {
	if id == tls.VersionTLS10 {
		return "TLSv1"
	}
	for _, v := range versions {
		if v.id == id {
			return v.name
		}
	}
	return ""
}

// Refuse takes one version out at either end of what t allows, as no-tlsv12
// asks. A hole in the middle cannot be had, as in HAProxy.
func Refuse(t *settings.TLS, id uint16) {
	lowest, highest := t.MinVersion, t.MaxVersion
	if lowest == 0 {
		lowest = tls.VersionTLS12
	}
	if highest == 0 {
		highest = tls.VersionTLS13
	}
	switch id {
	case lowest:
		t.MinVersion = id + 1
	case highest:
		t.MaxVersion = id - 1
	}
}
