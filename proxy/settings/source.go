package settings

// Source is where connections to a server come from (Configuration manual
// 4.2 and 5.2, "source").
type Source struct {
	Host           string // IP literal; empty leaves the address to the system
	Port, LastPort int    // 0 is any; LastPort is the end of a range, or Port
	Interface      string
	Use            UseSource
	UseHost        string // IP literal, with UseAddress
	UsePort        int
	Header         string // lower case, with UseHeader
	Occurrence     int    // from 1, or from -1 counted from the last
}

// IsZero reports whether nothing is asked for.
func (s Source) IsZero() bool { return s == Source{} }

// UseSource is whose address a server sees ("usesrc").
type UseSource int

// Addresses of others.
const (
	UseOwn      UseSource = iota
	UseAddress            // usesrc ADDRESS[:PORT]
	UseClient             // the client's address and port
	UseClientIP           // the client's address
	UseHeader             // hdr_ip(NAME[,OCCURRENCE])
)
