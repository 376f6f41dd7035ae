// Package queue is the brain of lander: a pure state machine over one lane.
//
// Facts come in, a plan comes out. [Queue.Apply] records one fact ([Event]); [Queue.Plan] lists the deeds ([Action]) that the
// state now asks for; [Queue.Why] says what stands between a change and trunk. None of them knows a clock, a network or a
// database, so a crash is "load and plan again", a lost webhook is "a fact that comes later", and a simulation is the same
// Plan under another clock.
//
// What a pull request looks like arrives whole, as a [Sight]. A webhook only says where to look; the look is the fact. Two
// looks in any order, or the same look twice, leave the same state, which is why losing, repeating or delaying webhooks
// changes only when things happen.
//
// A Queue is a value. Entries and candidates behind its pointers are never changed once they are reachable from a Queue: Apply
// replaces them, so that the store sees what changed by comparing pointers.
//
// Telling people is not a deed. Apply puts a [Notice] into the outbox in the same step that changes the state; the store writes
// both in one transaction, so that nothing is told that is not so, and nothing that is so goes untold.
package queue
