// Package checks holds the tests that run herald's health checks beside
// HAProxy's: the same configuration, the same scripted or real servers, and
// the lines both write to the log.
package checks
