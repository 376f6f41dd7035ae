package landertest

import (
	"context"
	"strings"
	"testing"
	"time"

	"lander/internal/hub"
)

// Each way of breaking a promise, done by somebody who has lander's own credentials, is noticed.
func TestOracleNotices(t *testing.T) {
	t.Parallel()
	land := func(s *story) {
		s.play("open one by noor: One\n\tone.txt: 1\nada pushes main: More\n\tmore.txt: 1\napprove 1 by maya\nsettle\nexpect 1 landed")
	}
	for name, c := range map[string]struct {
		sin  func(s *story)
		want []string
	}{
		"nothing": {land, nil},
		"untested": {func(s *story) {
			land(s)
			_, err := s.hub.Push(repository, hub.Push{By: bot, Branch: "main", Commits: []hub.Commit{{Message: "Sneak", Files: map[string]string{"s": "s"}}}})
			s.must(err)
		}, []string{"without a green run of exactly ", "nothing is written down"}},
		"unapproved": {func(s *story) {
			land(s)
			s.consents = nil
		}, []string{"to which 0 agreed and not 1"}},
		"dismissed before": {func(s *story) {
			land(s)
			s.consents[0].revoked = s.consents[0].at.Add(time.Second)
		}, []string{"to which 0 agreed and not 1"}},
		"paused": {func(s *story) {
			s.pauses = []pause{{from: begin}}
			land(s)
		}, []string{"while landing was paused"}},
		"rewound by lander": {func(s *story) {
			land(s)
			s.must(s.hub.Unprotect(repository, "main"))
			first, err := s.commit("first")
			s.must(err)
			_, err = s.hub.Push(repository, hub.Push{By: bot, Branch: "main", SHA: first, Force: true})
			s.must(err)
		}, []string{"which is no fast-forward"}},
		"moved past the hooks": {func(s *story) {
			land(s)
			first, err := s.commit("first")
			s.must(err)
			s.must(s.git().Run(context.Background(), "update-ref", "refs/heads/main", first))
		}, []string{"and the last push left it on"}},
		"a record less": {func(s *story) {
			land(s)
			s.play("ada rewinds lander-ledger/main to r1")
		}, []string{"tells of 0 landings, and lander moved trunk 1 times", "verify: missing"}},
		"no ledger": {func(s *story) {
			land(s)
			s.play("ada deletes lander-ledger/main")
		}, []string{"cannot be verified"}},
		"no record": {func(s *story) {
			land(s)
			s.play("ada pushes lander-ledger/main: Note\n\tnote.txt: Buy milk.")
		}, []string{"verify: forged"}},
		"told twice": {func(s *story) {
			land(s)
			all, err := s.hub.Comments(repository, 1)
			s.must(err)
			_, err = s.hub.Comment(repository, 1, bot, all[len(all)-1].Body)
			s.must(err)
		}, []string{"2 times"}},
		"untold": {func(s *story) {
			s.play("fault 500 always on POST /repos/*/*/issues")
			land(s)
		}, []string{"was never told"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &story{world: newWorld(t, nil), used: map[string]bool{}}
			c.sin(s)
			s.must(s.delivered())
			s.nameCandidates()
			wrong := newOracle(s.world).judge()
			for _, want := range c.want {
				if !strings.Contains(strings.Join(wrong, "\n"), want) {
					t.Errorf("no complaint has %q: %q", want, wrong)
				}
			}
			if len(c.want) == 0 && len(wrong) > 0 {
				t.Errorf("it complains of %q", wrong)
			}
		})
	}
}

// play plays a few lines.
func (s *story) play(text string) {
	s.Helper()
	commands, err := parseStory(text)
	s.must(err)
	for _, c := range commands {
		s.advance(time.Second)
		if err := s.do(c); err != nil {
			s.Fatalf("%s: %v", c.text, err)
		}
	}
}
