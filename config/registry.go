package config

import (
	"fmt"
	"slices"
)

// Row is one keyword: what it is called, what it does, how it is written, one
// example that must parse, and the behaviour T of the package it belongs to.
type Row[T any] struct {
	Name    string // the word, or words separated by one blank ("timeout connect")
	Doc     string // one line, for the keyword reference
	Syntax  string // the arguments in the manual's notation
	Example string // a line or block that parses as it stands
	Do      T
}

// Registry is a fixed set of rows, in the order the reference shows them. It
// is immutable after NewRegistry and safe for concurrent use.
type Registry[T any] struct {
	rows  []Row[T]
	index map[string]int
}

// NewRegistry builds a registry. It panics on a name given twice, which only
// a programming error can cause.
func NewRegistry[T any](rows ...Row[T]) *Registry[T] {
	r := &Registry[T]{rows: rows, index: make(map[string]int, len(rows))}
	for i, row := range rows {
		if _, dup := r.index[row.Name]; dup {
			panic(fmt.Sprintf("keyword %q registered twice", row.Name))
		}
		r.index[row.Name] = i
	}
	return r
}

// Lookup returns the row called name.
func (r *Registry[T]) Lookup(name string) (Row[T], bool) {
	i, ok := r.index[name]
	if !ok {
		return Row[T]{}, false
	}
	return r.rows[i], true
}

// Rows returns the rows in order. The caller must not change them.
func (r *Registry[T]) Rows() []Row[T] { return r.rows }

// Names returns the sorted names.
func (r *Registry[T]) Names() []string {
	names := make([]string, 0, len(r.rows))
	for _, row := range r.rows {
		names = append(names, row.Name)
	}
	slices.Sort(names)
	return names
}
