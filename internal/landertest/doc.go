// Package landertest is a world for tests: a hub with its git server, a Postgres database, and a lander between them that is joined
// as package serve joins it. Only time is not real: every clock in it is one that the test holds, and what waits for something
// outside (a webhook, a poll, a wake-up) waits until the test says so. Nothing sleeps, and the same story gives the same commits.
//
// # Stories
//
// A story is a txtar file. Its files are trunk's first commit, on top of a policy file and a suite that every story has
// (world.go); the text before them is the story, one command to a line. Lines that begin with # are for people. A line that is
// indented belongs to the command above it. Every command takes one second.
//
//	open NAME by WHO [from fork [without edits]] [draft] [onto BRANCH] [off COMMIT]: TITLE
//	WHO pushes [force] NAME [off COMMIT]: MESSAGE
//		PATH: TEXT          the file's new content; \n is a line end, @SECTION the text of a file of the story named so
//		- PATH              removes the file
//		x PATH              makes it executable
//		PATH -> TARGET      a symbolic link
//		commit MESSAGE      begins another commit
//		body TEXT           of the pull request
//	WHO rewinds BRANCH to COMMIT · WHO deletes BRANCH · WHO merges N · WHO merges BRANCH into NAME [with more]: MESSAGE
//	approve N by WHO [at COMMIT] · object N by WHO · remark N by WHO: TEXT · dismiss N by WHO
//	comment N by WHO: TEXT · edit N by WHO: TEXT (the newest comment of a person) · delete N by WHO
//	draft N · ready N · close N by WHO · reopen N by WHO · retarget N to BRANCH · retitle N: TITLE · label N NAME · unlabel N NAME
//	role WHO ROLE
//	pause by WHO: REASON · resume by WHO              what the command line does
//	clock +DURATION
//	settle                                            lander works until it has nothing to do now, and tells what there is to tell
//	poll                                              the same, after asking the forge and the git server what is new
//	poll only                                         from here on no webhook arrives, and every settle is a poll
//	hang [N] · go on                                  test runs [of N] begin only after go on
//	crash · crash before POINT · crash after POINT    lander is killed, now or when it comes there
//	fail before POINT · fail after POINT              an error there, once, before or after the effect
//	crash everywhere · fail everywhere                at every POINT that lander comes to, one after the other, poll by poll; a section
//	                                                  shows what struck
//	before POINT: COMMAND · after POINT: COMMAND      it is done when lander comes there
//	late push refused · late push taken               the push to trunk at which lander was killed arrives, perhaps once more
//	start                                             another lander, on the same database and directory
//	zombie · zombie settle                            another lander takes over, the one before lives on and does not know
//	forge patience DURATION                           how long the next lander waits for an answer of the forge
//	back up · restore · lose the database             while lander is down
//	rebuild                                           what "lander migrate --rebuild" does, while lander is down: the
//	                                                  lanes are left paused
//	fault TEXT · heal                                 see package hub
//	ci NAME by APP                                    from here on a CI of that app checks each candidate that is pushed: red where a
//	                                                  file of text says so
//	check NAME by APP on COMMIT: CONCLUSION           a check run there, or a newer one; pending: it has begun
//	status NAME by WHO on COMMIT: STATE               a commit status
//	sweep                                             branches of candidates that nobody needs any more are deleted
//	expect offered: COMMIT, ...                       what the branches of candidates stand at; nothing: there are none
//	hold webhooks · release webhooks [twice] [reversed]
//	refused COMMAND: TEXT                             the hub does not do it, and says TEXT
//	expect N STAGE[: TEXT]                            TEXT is part of the first reason
//	expect head BRANCH COMMIT                         where a branch stands
//	expect missed N                                   webhooks of the last day that did not arrive, as the API tells it
//	expect breach: TEXT                               the story itself causes what "lander verify" finds; else a breach fails it
//	expect trunk · expect records · expect comments N · expect words N
//	                                                  compared with a section of the file, see below
//
// A COMMIT is named by how it came to be: NAME.2 is the second push of the branch NAME, c3 is the lane's third candidate, and ~1 after
// either is the commit before; r2 is the second record of the lane's ledger; "first" is trunk's first commit. POINTs are in points.go.
//
// What people and git see is compared with golden sections of the file, in which commits have those names. "expect words 1" has a
// section of its name; every story also ends with "end trunk" and "end pulls", and with "end verify" where "lander verify" finds
// something. go test -update writes them.
//
// # The oracle
//
// After each story an oracle looks at it with other eyes (oracle.go): it reads the bare repository, what its hooks noted about each
// push, and the database, and checks the invariants that no story may break. It also verifies the bare repository as everybody can, with
// package verify.
package landertest
