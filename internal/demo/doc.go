// Package demo plays lander on this machine: a private Postgres, a hub with a sample repository, and a lander that lands on it.
// Nothing in it is faked: the people in it act through the hub as they would on a forge, and what came of it is read from git
// and from the hub, not from what lander says of itself.
package demo
