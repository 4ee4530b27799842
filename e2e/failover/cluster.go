package main

import (
	"context"
	"time"

	"herald/e2e/lab"
)

// one starts a cluster; down takes it away.
func one(ctx context.Context, engine lab.Engine, binary, interval string, setup lab.Setup) (c *lab.Cluster, down func(), err error) {
	period, err := time.ParseDuration(interval + "s")
	if err != nil {
		return nil, nil, err
	}
	if period < time.Second {
		setup.AdvertInt = interval
	}
	l, err := lab.Up(ctx, lab.Spec{Controllers: 3, Servers: 1, Programs: []string{binary}})
	if err != nil {
		return nil, nil, err
	}
	c = lab.NewCluster(l, engine, setup)
	if err := c.Start(ctx); err != nil {
		l.Down()
		return nil, nil, err
	}
	return c, func() { l.Down() }, nil
}

// both starts a cluster of each engine, keepalived's first, to be measured in
// turns: the machine's moods are the same for both.
func both(ctx context.Context, binary, interval string, setup lab.Setup) (list []*lab.Cluster, down func(), err error) {
	var downs []func()
	down = func() {
		for _, d := range downs {
			d()
		}
	}
	for _, engine := range []lab.Engine{lab.Packaged, lab.Herald} {
		c, d, err := one(ctx, engine, binary, interval, setup)
		if err != nil {
			down()
			return nil, nil, err
		}
		list, downs = append(list, c), append(downs, d)
	}
	return list, down, nil
}
