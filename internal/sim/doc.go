// Package sim plays a day of a team, or a year, in a second: changes are approved, runs take their time, some fail, and a strategy
// decides what is tested next. It exists to hold lander's planner against the ways in which others do it, on the same changes.
//
//	Workload --Trace(seed)--> Trace --Strategy.Play--> Outcome --several seeds--> Result
//	Past -------Trace-------/
//
// A [Trace] is the truth: when each change is approved, whether it is bad by itself, with which other ones it is bad together only, and
// what runs are like there. It comes from a [Workload], which is a handful of numbers and a seed, or from a [Past], which is what really
// happened on a lane. No strategy sees the truth. It sees who waits, what depends on what, and how runs ended.
//
// A [Strategy] is lander's or a peer's. [Lander] is the planner itself: the same queue.Queue that gate keeps, fed with the same facts, and
// its deeds carried out by a world in which building takes no time and a run takes what the trace says. There is no copy of the planner
// here, and there must never be one. The peers are written from what is public about them, as well as they can be played; where
// something is not known, the peer gets what is better for it.
//
// What all of them share is the engine: a virtual clock, so many workers, what a run of so many changes on trunk as it is would say, and
// the books. A run begins when a worker is free, holds it until it ends or is cancelled, and nothing else takes time. A red run ends
// somewhere in its last 70 %. What a run says is settled when it begins: trunk as it was then, and its members.
//
// # Two settings
//
// In a chain every change depends on all ahead of it: what lands was tested as exactly that tree. Over areas, changes that touch no area
// together are independent: they are tested without each other and land without waiting. A run there takes as long as the longest of
// the changes in it. Which areas a change touches is what the policy says; where it misses one, what is tested is not what lands, and
// [Outcome.RedLanded] counts what comes of it.
//
// # What is measured
//
// The time from approval to settled, landed or dropped, in multiples of a run length; and what it cost. Changes are counted from the end
// of a warm-up, and arrivals go on behind the last one that counts until it is settled: a queue that drains is no steady state. Runs and
// use are those between the first and the last counted approval. A strategy whose line grows all that time, by more than a twentieth of
// who came and by more than chance explains, or with whom the last one is not settled 40 run lengths later, is unstable, and its times
// mean nothing.
//
// The same seed gives the same outcome, however much is played at the same time.
package sim
