package settings

// ProxyHeader is the header of the PROXY protocol that a server is sent
// first on every connection (Configuration manual 5.2, "send-proxy...",
// "proxy-v2-options").
type ProxyHeader struct {
	Version int // 1 or 2; 0 is none
	// What a header of version 2 tells besides the addresses.
	SSL, CN, Cipher, SigAlg, KeyAlg, Authority, CRC32C, UniqueID bool
}
