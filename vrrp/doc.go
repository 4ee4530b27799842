// Package vrrp runs virtual routers: one loop that owns every instance of a
// configuration, its timers and its sockets.
//
// It is a shell. Package fsm decides, package group weighs what is tracked,
// package garp says when to announce; the loop carries their answers to the
// system through the interfaces of Ports and never opens anything itself. It
// parses no configuration and executes no script.
//
// Joining it with the system (rawip, kernel, garp/arp):
//
//	k, err := kernel.Open()
//	s, err := vrrp.New(cfg, vrrp.Ports{
//		Open: func(dev string, index int, ready func()) (vrrp.Link, error) {
//			return rawip.Open(dev, index, ready)
//		},
//		Kernel:    k,
//		Routing:   k, // routes and rules
//		Sysctls:   k,
//		Firewall:  f, // firewall.Open; nil where there is none
//		Announcer: arp.NewSender(),
//		Scripts:   runner, // answers with s.ScriptDone
//		Log:       logger,
//		OnChange:  func(all []stats.Instance) { ... },
//	})
//	err = s.Resume(blob)          // what the process before handed over, if any
//	go s.Run(ctx)                 // returns when stopped or handed over
//	s.SetProxyServing(true, "")   // as often as it changes
//	err = s.Stop(ctx)             // resigns; or blob, err := s.Handover(ctx)
package vrrp
