package render

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// Authorized reports whether an Authorization header carries the name and
// password of one of the users by the Basic scheme (RFC 7617). Its time tells
// nothing about how much of them was right, nor which user's: digests of equal
// length are compared, with all users.
func Authorized(header string, users []User) bool {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return false
	}
	pair, err := base64.StdEncoding.DecodeString(strings.TrimSpace(token))
	if err != nil {
		return false
	}
	given := sha256.Sum256(pair)
	found := 0
	for _, u := range users {
		want := sha256.Sum256([]byte(u.Name + ":" + u.Password))
		found |= subtle.ConstantTimeCompare(given[:], want[:])
	}
	return found == 1
}

// SameOrigin reports whether a browser, if it is one, says that the request
// comes from a page of this host (Fetch Metadata; RFC 6454 section 7). A client
// that sends neither header is no browser, so nobody can misuse its password.
func (r *Request) SameOrigin() bool {
	switch r.SecFetchSite {
	case "":
	case "same-origin", "none":
		return true
	default:
		return false
	}
	if r.Origin == "" {
		return true
	}
	_, host, found := strings.Cut(r.Origin, "://")
	return found && r.Host != "" && strings.EqualFold(host, r.Host)
}
