// Package fleet proves lander by breaking it. It runs real lander processes against a real Postgres and a hub with git over HTTP, kills
// them, stops them, takes the database, the git server, the forge and the disk away, and then asks an oracle that knows nothing of
// how lander lands whether a promise was broken. Everything in it is test code.
//
// # Replicas
//
// A replica is this test binary, started again: it joins the rooms as package serve does, and says over a pipe when it comes to a
// step, before and after its effect. Until it is answered it stands there, so that a kill hits that very step. What others can see
// of a step (a push, a read, a comment) is caught outside, in a front of its own that stands between each replica and the hub: there
// too, the effect can be kept from happening, and the answer from arriving.
//
// # The grid
//
// A cell is a step and a fault. Each runs in a world of its own: four pull requests, of which two must land (one of them needs a
// rebase), one is red, and one is withdrawn when the fault strikes. With an even seed there are three more that must land, and all
// are tested in trains of up to five candidates. A seed decides what is left open: who is first, at which time the
// step is hit, whether a push in flight still arrives, who takes over. Then the faults end, no webhook arrives any more, and the
// world must come to rest; then the oracle looks. A lander that stops its lane by itself is resumed only where a person has rewound
// trunk: any other alarm breaks the cell.
//
//	make faults                                       every cell once
//	make faults RUNS=5                                every cell five times, each time with another seed
//	make faults RUNS=9 FOR=50m                        as many of them as are begun within 50 minutes
//	make faults CELL='intent stored/killed after'     one cell; SEED=n repeats one run of it
//
// # The soak
//
// make soak keeps three lander processes with four lanes under traffic, kills or breaks something every few seconds, and looks at the
// end. MINUTES and SEED may be given.
package fleet
