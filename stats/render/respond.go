package render

import "herald/stats"

func respond(p Page, r Request, snapshot func() stats.Snapshot, apply Apply) Response {
	return Response{Status: 200}
}
