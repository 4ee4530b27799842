package render

import (
	"strconv"
	"strings"

	"herald/stats"
)

// AppendCSV appends HAProxy's CSV: its header, then a line for every row. Each
// line ends with a comma and a line feed.
func AppendCSV(b []byte, s *stats.Snapshot, f Filter) []byte {
	b = append(b, "# "...)
	for i := range stats.Columns {
		b = append(dash(b, i, '-'), stats.Columns[i].Name...)
		b = append(b, ',')
	}
	b = append(b, '\n')
	f.each(s, func(r *stats.Row) {
		for i := range stats.Columns {
			b = dash(b, i, '-')
			b = append(appendCSV(b, f.of(&stats.Columns[i], r)), ',')
		}
		b = append(b, '\n')
	})
	return b
}

// dash appends the separator that stands before the modules' columns.
func dash(b []byte, i int, sep byte) []byte {
	if i == stats.FirstModule {
		b = append(b, sep, ',')
	}
	return b
}

// appendCSV quotes texts that need it (RFC 4180 section 2).
func appendCSV(b []byte, v stats.Value) []byte {
	switch {
	case !v.Present():
		return b
	case v.Kind != stats.Text:
		return strconv.AppendInt(b, v.Number, 10)
	case !strings.ContainsAny(v.Text, ",\"\r\n"):
		return append(b, v.Text...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(v.Text, `"`, `""`)...)
	return append(b, '"')
}

// AppendTyped appends `show stat typed`: a line for every value with where it
// stands, its tags and its kind; desc adds what it means.
func AppendTyped(b []byte, s *stats.Snapshot, f Filter, desc bool) []byte {
	f.each(s, func(r *stats.Row) {
		for i := range stats.Columns {
			c := &stats.Columns[i]
			v := f.of(c, r)
			if !v.Present() {
				continue
			}
			b = append(b, "FBSL"[r.Type], '.')
			b = append(strconv.AppendInt(b, int64(r.ProxyID), 10), '.')
			b = append(strconv.AppendInt(b, int64(r.ID), 10), '.')
			b = append(strconv.AppendInt(b, int64(i), 10), '.')
			b = append(b, c.Name...)
			b = appendTyped(b, c.Tags, v)
			b = appendHelp(b, c.Help, desc)
		}
	})
	return b
}

func appendTyped(b []byte, tags stats.Tags, v stats.Value) []byte {
	b = append(b, ".1:"...)
	b = append(append(b, tags...), ':')
	b = append(append(b, v.Kind...), ':')
	return appendPlain(b, v)
}

// appendPlain keeps a value on its line.
func appendPlain(b []byte, v stats.Value) []byte {
	if v.Kind != stats.Text {
		return strconv.AppendInt(b, v.Number, 10)
	}
	return append(b, oneLine(v.Text)...)
}

func appendHelp(b []byte, help string, desc bool) []byte {
	if desc {
		b = append(b, `:"`...)
		b = append(append(b, help...), '"')
	}
	return append(b, '\n')
}

// oneLine replaces control characters, which would break a line or a terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

// AppendInfo appends `show info`; desc adds what each line means.
func AppendInfo(b []byte, info *stats.Info, desc bool) []byte {
	for i := range stats.InfoColumns {
		c := &stats.InfoColumns[i]
		v := c.Of(info)
		if !v.Present() {
			continue
		}
		b = append(append(b, c.Name...), ": "...)
		b = appendHelp(appendPlain(b, v), c.Help, desc)
	}
	return b
}

// AppendInfoTyped appends `show info typed`.
func AppendInfoTyped(b []byte, info *stats.Info, desc bool) []byte {
	for i := range stats.InfoColumns {
		c := &stats.InfoColumns[i]
		v := c.Of(info)
		if !v.Present() {
			continue
		}
		b = append(strconv.AppendInt(b, int64(i), 10), '.')
		b = append(b, c.Name...)
		b = appendHelp(appendTyped(b, c.Tags, v), c.Help, desc)
	}
	return b
}
