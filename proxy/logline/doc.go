// Package logline writes traffic log lines with HAProxy 2.6's bytes: the
// default, TCP, HTTP and CLF formats and the log-format language of
// %-variables, and the syslog headers put in front of them.
//
// It sends nothing, reads no clock and allocates nothing per line. Sample
// expressions (%[...]) are refused when a format is compiled.
//
//	f := logline.HTTP // or logline.Compile(text)
//	var dates logline.Dates
//	dates.Zone = time.Local
//	line := f.Append(buf[:0], &record, &dates)
//
//	h := logline.Header{Form: logline.Local, Facility: 16, Tag: "haproxy", PID: pid}
//	msg := h.Append(out[:0], logline.Info, now, line, &dates)
package logline
