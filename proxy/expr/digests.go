package expr

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"strings"

	"github.com/OneOfOne/xxhash"
	"github.com/zeebo/xxh3"

	"herald/config"
	"herald/proxy/lb"
)

// digestRows are converters that hash, and those that write bytes as text and
// the other way round.
var digestRows = []config.Row[Change]{
	change("b64dec", "The bytes that base64 text stands for.", "str(YWJj),b64dec", decoded(base64.StdEncoding)),
	change("base64", "The bytes as base64 text.", "path,base64", Change{From: Bin, To: Str, Make: edit(base64.StdEncoding.AppendEncode)}),
	change("crc32", "The CRC-32 of Ethernet; 1 mixes its bits.", "src,crc32", mixed("crc32", nil)),
	change("crc32c", "The CRC-32 of iSCSI; 1 mixes its bits.", "src,crc32c", mixed("", func(b []byte) uint32 { return crc32.Checksum(b, castagnoli) })),
	change("digest", "The digest of that name: md5, sha1, sha224, sha256, sha384 or sha512.", "path,digest(sha256),hex", Change{From: Bin, To: Bin, Args: "s", Make: makeDigest}),
	change("djb2", "Bernstein's hash; 1 mixes its bits.", "src,djb2", mixed("djb2", nil)),
	change("hex", "The bytes as hexadecimal text.", "path,hex", Change{From: Bin, To: Str, Make: edit(func(to, b []byte) []byte {
		for _, c := range b {
			to = append(to, upperHex[c>>4], upperHex[c&15])
		}
		return to
	})}),
	change("hex2i", "The number hexadecimal text stands for.", "str(ff),hex2i", Change{From: Str, To: Int, Make: always(func(_ *Input, v *Value) Outcome {
		n, ok := hexNumber(v.Str)
		if !ok {
			return Missing
		}
		return v.whole(n)
	})}),
	change("hmac", "The authentication code of that digest, with a key in base64.", "path,hmac(sha256,a2V5),hex", Change{From: Bin, To: Bin, Args: "ss", Make: makeHMAC}),
	change("sdbm", "The hash of the sdbm library; 1 mixes its bits.", "src,sdbm", mixed("sdbm", nil)),
	change("sha1", "The SHA-1 digest.", "path,sha1,hex", Change{From: Bin, To: Bin, Make: always(func(in *Input, v *Value) Outcome {
		sum := sha1.Sum(v.Str)
		return v.bytes(Bin, in.keep(append(in.room(), sum[:]...)))
	})}),
	change("sha2", "The SHA-2 digest of so many bits: 224, 256, 384 or 512.", "path,sha2(256),hex", Change{From: Bin, To: Bin, Args: "?i", Make: func(a *Arguments) (Convert, error) {
		return digest(fmt.Sprintf("sha%d", a.int(0, 256)))
	}}),
	change("ub64dec", "The bytes that text of the URL-safe base64 stands for.", "str(YWJj),ub64dec", decoded(base64.RawURLEncoding)),
	change("ub64enc", "The bytes as text of the URL-safe base64, without filling.", "path,ub64enc", Change{From: Bin, To: Str, Make: edit(base64.RawURLEncoding.AppendEncode)}),
	change("wt6", "HAProxy's own hash; 1 mixes its bits.", "src,wt6", mixed("wt6", nil)),
	change("xxh3", "The 64-bit hash of XXH3, from a seed.", "src,xxh3", Change{From: Bin, To: Int, Args: "?i", Make: func(a *Arguments) (Convert, error) {
		seed := uint64(a.int(0, 0))
		return func(_ *Input, v *Value) Outcome { return v.whole(int64(xxh3.HashSeed(v.Str, seed))) }, nil
	}}),
	change("xxh32", "The 32-bit hash of xxHash, from a seed.", "src,xxh32", Change{From: Bin, To: Int, Args: "?i", Make: func(a *Arguments) (Convert, error) {
		seed := uint32(a.int(0, 0))
		return func(_ *Input, v *Value) Outcome { return v.whole(int64(xxhash.Checksum32S(v.Str, seed))) }, nil
	}}),
	change("xxh64", "The 64-bit hash of xxHash, from a seed.", "src,xxh64", Change{From: Bin, To: Int, Args: "?i", Make: func(a *Arguments) (Convert, error) {
		seed := uint64(a.int(0, 0))
		return func(_ *Input, v *Value) Outcome { return v.whole(int64(xxhash.Checksum64S(v.Str, seed))) }, nil
	}}),
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// mixed is a hash function of hash-type by its name, or one of our own, with
// an avalanche if it shall.
func mixed(name string, own func([]byte) uint32) Change {
	return Change{From: Bin, To: Int, Args: "?i", Make: func(a *Arguments) (Convert, error) {
		h := lb.Hash{Function: name, Avalanche: a.int(0, 0) != 0}
		return func(_ *Input, v *Value) Outcome {
			if own != nil {
				return v.whole(int64(h.Mix(own(v.Str))))
			}
			return v.whole(int64(h.Of(v.Str)))
		}, nil
	}}
}

// decoded reads base64 that is whole; anything else has no value.
func decoded(e *base64.Encoding) Change {
	return Change{From: Str, To: Bin, Make: always(func(in *Input, v *Value) Outcome {
		b, err := e.AppendDecode(in.room(), v.Str)
		if err != nil {
			return Missing
		}
		return v.bytes(Bin, in.keep(b))
	})}
}

func hexNumber(b []byte) (n int64, ok bool) {
	for _, c := range b {
		d := hexDigit(c)
		if d < 0 {
			return 0, false
		}
		n = n<<4 | int64(d)
	}
	return n, true
}

// digests are the functions by OpenSSL's names.
var digests = map[string]func() hash.Hash{"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New}

func makeDigest(a *Arguments) (Convert, error) { return digest(a.at(0)) }

func digest(name string) (Convert, error) {
	make, ok := digests[strings.ToLower(name)]
	if !ok {
		return nil, fmt.Errorf("%q %w", name, errNoDigest)
	}
	return sumOf(make), nil
}

func sumOf(make func() hash.Hash) Convert {
	return func(in *Input, v *Value) Outcome {
		h := make()
		h.Write(v.Str)
		return v.bytes(Bin, in.keep(h.Sum(in.room())))
	}
}

func makeHMAC(a *Arguments) (Convert, error) {
	make, ok := digests[strings.ToLower(a.at(0))]
	if !ok {
		return nil, fmt.Errorf("%q %w", a.at(0), errNoDigest)
	}
	key, err := base64.StdEncoding.DecodeString(a.at(1))
	if err != nil {
		return nil, fmt.Errorf("the key %q is not base64", a.at(1))
	}
	return sumOf(func() hash.Hash { return hmac.New(make, key) }), nil
}

// appendBE writes the numbers every size bytes stand for.
func appendBE(to, b []byte, size int, between string, whole bool, write func(to, part []byte) []byte) []byte {
	for i := 0; i < len(b); i += size {
		if whole && i+size > len(b) {
			break
		}
		if i > 0 {
			to = append(to, between...)
		}
		to = write(to, b[i:min(i+size, len(b))])
	}
	return to
}

func decimalBE(to, part []byte) []byte {
	var eight [8]byte
	copy(eight[8-len(part):], part)
	return appendUint(to, binary.BigEndian.Uint64(eight[:]))
}
