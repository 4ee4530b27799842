package settings

// BalanceArgs are the words after the algorithm on a balance line.
type BalanceArgs struct {
	Name       string // of the header, parameter or cookie
	Len        int    // uri: hash at most so many bytes; 0 means all
	Depth      int    // uri: hash so many directories; 0 means all
	Whole      bool   // uri: the query string too
	PathOnly   bool   // uri: without scheme and authority
	CheckPost  bool   // url_param: look in the body of a POST too
	DomainOnly bool   // hdr: the second-level domain alone
}

// HashType is hash-type.
type HashType struct {
	Function   string // "sdbm", "djb2", "wt6", "crc32", "none"; empty means sdbm
	Avalanche  bool
	Consistent bool
}
