package line

import (
	"io/fs"

	"herald/config"
)

// Text is the content of one configuration file.
type Text struct {
	Name  string
	Bytes []byte
}

// Env is the world a configuration text may ask about.
type Env struct {
	// Lookup reads an environment variable, as os.LookupEnv does; nil means
	// an empty environment.
	Lookup func(name string) (string, bool)
	// Version answers version_atleast and version_before; the HAProxy
	// version whose language is spoken ("2.6.12") when empty.
	Version string
	// Features answers feature() with names as in HAProxy's feature list
	// ("OPENSSL", "THREAD").
	Features []string
	// Enabled answers enabled() with names of run-time options ("POLL",
	// "SPLICE").
	Enabled []string
	// OpenSSL answers openssl_version_atleast and openssl_version_before
	// ("3.0.0"); empty makes both false.
	OpenSSL string
	// SSLLibrary answers ssllib_name_startswith.
	SSLLibrary string
}

// Files is the part of a file system Load needs; os.DirFS is not enough
// because paths may be absolute.
type Files interface {
	ReadFile(name string) ([]byte, error)
	Stat(name string) (fs.FileInfo, error)
	ReadDir(name string) ([]fs.DirEntry, error)
}

// Load reads the files at paths in order. A directory stands for its regular
// *.cfg files in lexical order, hidden ones left out (management guide, "-f").
// What cannot be read is reported as an error at the path.
func Load(files Files, paths []string, diags *config.Diagnostics) []Text { return nil }

// Parse turns texts into sections in the order they stand. A later file
// begins outside any section, as with HAProxy's repeated "-f".
func Parse(texts []Text, env Env, diags *config.Diagnostics) []Section { return nil }
