package expr

import (
	"fmt"
	"time"

	"herald/config"
)

// dateRows are converters of dates, which are seconds since 1970.
var dateRows = []config.Row[Change]{
	change("http_date", "A date as HTTP writes it, so much later; the unit may be s, ms or us.", "date,http_date(3600)", Change{From: Int, To: Str, Args: "?is", Make: func(a *Arguments) (Convert, error) {
		parts, ok := units[a.at(1)]
		if !ok {
			return nil, fmt.Errorf("%q is not s, ms or us", a.at(1))
		}
		offset := a.int(0, 0)
		layout := "Mon, 02 Jan 2006 15:04:05" + map[int64]string{1000: ".000", 1_000_000: ".000000"}[parts] + " GMT"
		return func(in *Input, v *Value) Outcome {
			n := v.Int + offset
			t := time.Unix(n/parts, n%parts*(1_000_000_000/parts)).UTC()
			return v.bytes(Str, in.keep(t.AppendFormat(in.room(), layout)))
		}, nil
	}}),
	change("ltime", "A date in local time, in a format of strftime(3), so many seconds later.", "date,ltime(%Y-%m-%d)", dated(func(t time.Time) time.Time { return t.Local() })),
	change("utime", "A date in UTC, in a format of strftime(3), so many seconds later.", "date,utime(%Y-%m-%d)", dated(func(t time.Time) time.Time { return t.UTC() })),
}

func dated(in func(time.Time) time.Time) Change {
	return Change{From: Int, To: Str, Args: "s?i", Make: func(a *Arguments) (Convert, error) {
		format, offset := a.at(0), a.int(1, 0)
		return func(i *Input, v *Value) Outcome {
			return v.bytes(Str, i.keep(appendTime(i.room(), in(time.Unix(v.Int+offset, 0)), format)))
		}, nil
	}}
}

// strftime has the conversions that Go's layouts have; the rest is computed.
var strftime = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'h': "Jan", 'B': "January", 'c': "Mon Jan _2 15:04:05 2006", 'd': "02", 'D': "01/02/06", 'e': "_2",
	'F': "2006-01-02", 'H': "15", 'I': "03", 'j': "002", 'm': "01", 'M': "04", 'p': "PM", 'P': "pm", 'r': "03:04:05 PM", 'R': "15:04", 'S': "05",
	'T': "15:04:05", 'x': "01/02/06", 'X': "15:04:05", 'y': "06", 'Y': "2006", 'z': "-0700",
}

// appendTime writes a time as strftime(3) does in the C locale.
func appendTime(to []byte, t time.Time, format string) []byte {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			to = append(to, format[i])
			continue
		}
		i++
		if (format[i] == 'E' || format[i] == 'O') && i+1 < len(format) {
			i++
		}
		c := format[i]
		if layout, ok := strftime[c]; ok {
			to = t.AppendFormat(to, layout)
			continue
		}
		year, week := t.ISOWeek()
		day := int(t.Weekday())
		switch c {
		case 'n':
			to = append(to, '\n')
		case 't':
			to = append(to, '\t')
		case '%':
			to = append(to, '%')
		case 's':
			to = appendInt(to, t.Unix())
		case 'C':
			to = two(to, t.Year()/100)
		case 'g':
			to = two(to, year%100)
		case 'G':
			to = appendInt(to, int64(year))
		case 'V':
			to = two(to, week)
		case 'k', 'l':
			h := t.Hour()
			if c == 'l' {
				h = (h+11)%12 + 1
			}
			if h < 10 {
				to = append(to, ' ')
			}
			to = appendInt(to, int64(h))
		case 'u':
			to = appendInt(to, int64((day+6)%7+1))
		case 'w':
			to = appendInt(to, int64(day))
		case 'U':
			to = two(to, (t.YearDay()+6-day)/7)
		case 'W':
			to = two(to, (t.YearDay()+6-(day+6)%7)/7)
		case 'Z':
			name, _ := t.Zone()
			if t.Location() == time.UTC {
				name = "GMT"
			}
			to = append(to, name...)
		default:
			to = append(to, '%', c)
		}
	}
	return to
}

func two(to []byte, n int) []byte { return append(to, byte('0'+n/10%10), byte('0'+n%10)) }
