package expr

import (
	"fmt"
	"strings"
	"testing"
)

// Many patterns take about as long as few: each method, with 10 patterns and
// with 100,000, of which none matches.
func BenchmarkPatterns(b *testing.B) {
	hosts := func(n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf("www%d.site%d.example", i%7, i)
		}
		return list
	}
	paths := func(n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf("/dir%d/file%d", i%1000, i)
		}
		return list
	}
	nets := func(n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf("%d.%d.%d.0/24", 11+i>>16, i>>8&255, i&255)
		}
		return list
	}
	numbers := func(n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprint(100000 + 2*i)
		}
		return list
	}
	for _, c := range []struct {
		fetch, method string
		list          func(n int) []string
	}{
		{"str(www.example.org)", "str", hosts}, {"str(www.example.org)", "end", hosts}, {"str(www.example.org)", "dom", hosts}, {"str(www.example.org)", "sub", hosts},
		{"str(/dir1/other/index.html)", "beg", paths}, {"str(/dir1/other/index.html)", "dir", paths}, {"ipv4(10.1.2.3)", "ip", nets}, {"int(5)", "int", numbers},
	} {
		for _, n := range []int{10, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", c.method, n), func(b *testing.B) {
				f, err := Parse(c.fetch)
				if err != nil {
					b.Fatal(err)
				}
				m, err := Loader{}.Compile(f, c.method, []List{{Words: c.list(n)}})
				if err != nil {
					b.Fatal(err)
				}
				in := &Input{Final: true}
				b.ReportAllocs()
				for b.Loop() {
					if m.Match(in) == Found {
						b.Fatal(strings.Join([]string{"matches", c.method}, " "))
					}
				}
			})
		}
	}
}
