// Package mutants takes lander's defences out, one at a time, and wants a test to notice each. Everything in it is test code.
//
// A mutant is lander with one defence less: its name, the text to replace, and the tests that must turn red. It is built from an
// overlay (go build -overlay), so that nothing in the tree is touched; files of SQL are replaced the same way, because they are
// embedded. Where a defence is doubled, in Go and in the schema for one, each half is a mutant of its own, with a test at the level
// where that half alone is seen; where no test can tell the halves apart, both go at once.
//
// Four things can become of a test:
//
//	red             as it must
//	survives        nobody would notice that the defence is gone
//	hangs           it noticed, but not by its own words
//	does not build  the text that is put in no longer fits what is around it
//	breaks more     a plain change no longer lands either, so that it is not the defence that was missed
//
// Before that each test is run without any mutation, and must be green. A text that is not to be found exactly once is an error
// too: the code has changed, and whoever changed it says anew what taking the defence out means.
//
//	make mutate                      all of them
//	make mutate MUTANT='lease|burn'  those whose names match
//
// make test holds every text against the code, and takes one defence out.
package mutants
