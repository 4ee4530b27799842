package directive

import (
	"slices"
	"strconv"
	"strings"

	"herald/config"
	"herald/proxy/expr"
	"herald/proxy/lb"
	"herald/proxy/settings"
)

var balanceRows = []config.Row[keyword]{
	{Name: "balance", Example: "balance roundrobin",
		Syntax: "roundrobin | static-rr | leastconn | first | source | uri [len N] [depth N] [whole] [path-only] | url_param NAME [check_post] | hdr(NAME) [use_domain_only] | random[(DRAWS)] | rdp-cookie[(NAME)] | hash EXPRESSION",
		Doc:    "How requests are spread over servers, by their weights.",
		Do:     keyword{in: backSide, min: 1, max: many, read: readBalance}},
	{Name: "hash-balance-factor", Syntax: "PERCENT", Example: "hash-balance-factor 150",
		Doc: "With consistent hashing, no server gets more than this share of an equal load; 0 is no limit.",
		Do: keyword{in: backSide, min: 1, max: 1, read: func(c *call) {
			n, ok := c.number(0, 0, maxCount)
			switch {
			case !ok:
			case n != 0 && n <= 100:
				c.reject(0, "%d must be 0 or greater than 100", n)
			default:
				c.px.p.HashFactor = n
			}
		}}},
	{Name: "hash-type", Syntax: "map-based | consistent [sdbm | djb2 | wt6 | crc32 | none] [avalanche]", Example: "hash-type consistent djb2 avalanche",
		Doc: "How the key of a balance algorithm leads to a server.",
		Do:  keyword{in: backSide, min: 1, max: many, read: readHashType}},
}

func readBalance(c *call) {
	name, arg, parenthesis := strings.Cut(c.arg(0), "(")
	if _, ok := lb.Algorithms.Lookup(name); !ok {
		c.diags.Unknown(c.args[0].Pos, config.Error, "balance algorithm", name, lb.Algorithms.Names())
		return
	}
	p := &c.px.p
	if parenthesis {
		var closed bool
		if arg, closed = strings.CutSuffix(arg, ")"); !closed {
			c.reject(0, "%q lacks its closing parenthesis", c.arg(0))
			return
		}
		if !slices.Contains([]string{"hdr", "random", "rdp-cookie"}, name) {
			c.reject(0, "%q takes no argument in parentheses", name)
			return
		}
	}
	var args settings.BalanceArgs
	var of *expr.Fetch
	args.Name = arg
	rest := 1
	switch name {
	case "uri":
		rest = c.uriArguments(&args)
	case "url_param":
		args.Name = c.arg(1)
		rest = 2
		switch c.arg(2) {
		case "":
		case "check_post":
			args.CheckPost = true
			rest = 3
			if _, err := strconv.Atoi(c.arg(3)); err == nil { // max_wait, without effect in HAProxy too
				rest = 4
			}
		default:
			c.unknownValue(2, "modifier of url_param", []string{"check_post"})
			return
		}
	case "hdr":
		switch c.arg(1) {
		case "":
		case "use_domain_only":
			args.DomainOnly = true
			rest = 2
		default:
			c.unknownValue(1, "modifier of hdr", []string{"use_domain_only"})
			return
		}
	case "hash":
		if len(c.args) < 2 {
			c.reject(0, "hash needs an expression")
			return
		}
		f, err := c.expression(c.arg(1), atServer)
		if err != nil {
			c.reject(1, "%v", err)
			return
		}
		of, rest = f, 2
	case "rdp-cookie":
		if parenthesis && arg == "" {
			c.reject(0, "rdp-cookie() needs the name of a cookie")
			return
		}
	case "random":
		p.BalanceDraws = 0
		if arg != "" {
			n, err := config.Int(arg, 1, maxCount)
			if err != nil {
				c.reject(0, "random: %v", err)
				return
			}
			p.BalanceDraws = n
		}
	}
	if _, err := lb.KeyOf(name, lb.Args(args)); err != nil {
		c.reject(min(1, len(c.args)-1), "%v", err)
		return
	}
	p.Balance, p.BalanceArgs, p.HashOf = name, args, of
	c.px.balanced = true
	if rest < len(c.args) {
		c.warn(rest, "%q is ignored", c.arg(rest))
	}
}

// uriArguments reads the words after balance uri and answers where they end.
func (c *call) uriArguments(a *settings.BalanceArgs) int {
	for i := 1; i < len(c.args); i++ {
		var number *int
		switch c.arg(i) {
		case "whole":
			a.Whole = true
			continue
		case "path-only":
			a.PathOnly = true
			continue
		case "len":
			number = &a.Len
		case "depth":
			number = &a.Depth
		default:
			c.diags.Unknown(c.args[i].Pos, config.Error, "word of balance uri", c.arg(i), []string{"depth", "len", "path-only", "whole"})
			return len(c.args)
		}
		if i++; i == len(c.args) {
			c.reject(i-1, "%s needs a number", c.arg(i-1))
			return i
		}
		if n, ok := c.number(i, 1, maxCount); ok {
			*number = n
		}
	}
	return len(c.args)
}

func readHashType(c *call) {
	var h settings.HashType
	switch c.arg(0) {
	case "consistent":
		h.Consistent = true
	case "map-based":
	case "avalanche": // HAProxy's old form
		c.reject(0, "%q comes after map-based or consistent", "avalanche")
		return
	default:
		c.diags.Unknown(c.args[0].Pos, config.Error, "hash-type", c.arg(0), []string{"consistent", "map-based"})
		return
	}
	h.Avalanche = h.Consistent && len(c.args) == 1 // the ring asks for well mixed numbers, unless the file knows better
	next := 1
	if _, ok := lb.Functions.Lookup(c.arg(1)); ok {
		h.Function = c.arg(1)
		next = 2
	}
	switch {
	case next < len(c.args) && next == 2 && c.arg(2) == "avalanche":
		h.Avalanche = true
		next = 3
	case next < len(c.args) && next == 1:
		c.diags.Unknown(c.args[1].Pos, config.Error, "hash function", c.arg(1), lb.Functions.Names())
		return
	}
	switch {
	case next < len(c.args) && next == 2:
		c.diags.Unknown(c.args[2].Pos, config.Error, "modifier of hash-type", c.arg(2), []string{"avalanche"})
		return
	case next < len(c.args):
		c.warn(next, "%q is ignored", c.arg(next))
	}
	c.px.p.HashType = h
}

// checkBalance compares what balance asks for with the rest of the proxy.
func (b *builder) checkBalance(d *draft) {
	p := &d.p
	if p.Dispatch != nil && d.balanced {
		b.cross(p.Dispatch.Pos, config.Warning, "dispatch", "the dispatch address of %s %q is ignored, as \"balance\" is set", d.kind, p.Name)
		p.Dispatch = nil
	}
	if !p.Backend || p.Mode == settings.HTTP {
		return
	}
	switch p.Balance {
	case "uri", "url_param", "hdr":
		pos, ok := d.set["balance"]
		if !ok {
			pos = p.Pos
		}
		b.cross(pos, config.Warning, p.Balance, "balance %s needs \"mode http\" in %s %q: falling back to roundrobin", p.Balance, d.kind, p.Name)
		p.Balance, p.BalanceArgs = "roundrobin", settings.BalanceArgs{}
	}
}
