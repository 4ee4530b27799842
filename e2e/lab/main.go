package lab

import (
	"context"
	"io"
)

// Main is the command `herald lab`.
func Main(ctx context.Context, args []string, herald string, stdout, stderr io.Writer) int {
	return 2
}
