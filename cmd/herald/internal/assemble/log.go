package assemble

import (
	"context"
	"log/slog"
	"strings"

	"herald/cmd/herald/internal/ipc"
)

// roleLog returns a logger whose lines the parent writes. It never waits: a
// line the parent does not take is dropped.
func roleLog(role *ipc.Role) *slog.Logger { return slog.New(lineHandler{role: role}) }

// lineHandler makes one plain line of a record: the message, then its
// attributes as key=value. The parent adds time and process.
type lineHandler struct {
	role  *ipc.Role
	attrs string
}

func (h lineHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

func (h lineHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	if r.Level >= slog.LevelWarn {
		b.WriteString(strings.ToLower(r.Level.String()))
		b.WriteString(": ")
	}
	b.WriteString(r.Message)
	b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		b.WriteByte(' ')
		b.WriteString(a.String())
		return true
	})
	h.role.Log(b.String())
	return nil
}

func (h lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		h.attrs += " " + a.String()
	}
	return h
}

func (h lineHandler) WithGroup(string) slog.Handler { return h }
