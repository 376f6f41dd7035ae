package landertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"lander/internal/hub"
	"lander/internal/queue"
	"lander/internal/web"
)

// verbs are the commands of a story: what a line must look like, and what it does. The doc of the package explains them.
var verbs = []struct {
	form *regexp.Regexp
	do   func(s *story, c command, arg []string) error
}{
	{form(`open (\S+) by (\w+)( from fork(?: without edits)?)?( draft)?(?: onto (\S+))?(?: off (\S+))?: (.+)`), (*story).open},
	{form(`(\w+) pushes( force)? (\S+?)(?: off (\S+))?: (.+)`), (*story).push},
	{form(`(\w+) rewinds (\S+) to (\S+)`), (*story).rewind},
	{form(`(\w+) deletes (\S+)`), (*story).deleteBranch},
	{form(`(\w+) merges (\d+)`), (*story).merge},
	{form(`(\w+) merges (\S+) into (\S+?)( with more)?: (.+)`), (*story).mergeInto},
	{form(`approve (\d+) by (\w+)(?: at (\S+))?`), (*story).approve},
	{form(`object (\d+) by (\w+)`), (*story).object},
	{form(`remark (\d+) by (\w+): (.+)`), (*story).remark},
	{form(`dismiss (\d+) by (\w+)`), (*story).dismiss},
	{form(`comment (\d+) by (\w+): (.+)`), (*story).comment},
	{form(`edit (\d+) by (\w+): (.+)`), (*story).edit},
	{form(`delete (\d+) by (\w+)`), (*story).remove},
	{form(`(draft|ready) (\d+)`), (*story).draft},
	{form(`(close|reopen) (\d+) by (\w+)`), (*story).close},
	{form(`retarget (\d+) to (\S+)`), (*story).retarget},
	{form(`retitle (\d+): (.+)`), (*story).retitle},
	{form(`(un)?label (\d+) (\S+)`), (*story).label},
	{form(`role (\w+) (\w+)`), func(s *story, _ command, a []string) error { return s.hub.SetRole(repository, a[0], hub.Role(a[1])) }},
	{form(`pause by (\w+): (.+)`), (*story).pause},
	{form(`resume by (\w+)`), (*story).resume},
	{form(`clock \+(\S+)`), func(s *story, _ command, a []string) error {
		d, err := time.ParseDuration(a[0])
		s.advance(d)
		return err
	}},
	{form(`settle`), func(s *story, _ command, _ []string) error { return s.settled(false) }},
	{form(`poll`), func(s *story, _ command, _ []string) error { return s.settled(true) }},
	{form(`poll only`), func(s *story, _ command, _ []string) error {
		s.wire.set(false, true)
		s.pollOnly = true
		return nil
	}},
	{form(`hang`), func(s *story, _ command, _ []string) error { s.hung = true; return nil }},
	{form(`hang (\d+)`), func(s *story, _ command, a []string) error {
		n, err := strconv.Atoi(a[0])
		s.hungOf[n] = true
		s.gateOf.shut()
		return err
	}},
	{form(`go on`), func(s *story, _ command, _ []string) error {
		s.hung = false
		clear(s.hungOf)
		s.gate.open()
		s.gateOf.open()
		if s.life == nil {
			return nil
		}
		return s.until("the test runs have ended", func() bool { return s.life.active() == 0 })
	}},
	{form(`crash`), func(s *story, _ command, _ []string) error {
		if s.life == nil {
			return errors.New("lander is down already")
		}
		s.kill(s.life)
		return nil
	}},
	{form(`(crash|fail) (before|after) (\w+)`), func(s *story, _ command, a []string) error {
		return s.points.arm(point{name: a[2], after: a[1] == "after", kill: a[0] == "crash"})
	}},
	{form(`(crash|fail) everywhere`), (*story).everywhere},
	{form(`(before|after) (\w+): (.+)`), (*story).meanwhile},
	{form(`late push (refused|taken)`), (*story).latePush},
	{form(`back up`), (*story).backUp},
	{form(`restore`), (*story).restore},
	{form(`lose the database`), (*story).loseDatabase},
	{form(`rebuild`), (*story).rebuild},
	{form(`start`), func(s *story, _ command, _ []string) error { s.start(); return nil }},
	{form(`forge patience (\S+)`), func(s *story, _ command, a []string) (err error) {
		s.forgePatience, err = time.ParseDuration(a[0])
		return err
	}},
	{form(`zombie`), (*story).replace},
	{form(`zombie settle`), (*story).haunt},
	{form(`fault (.+)`), func(s *story, _ command, a []string) error { return s.hub.Fault(a[0]) }},
	{form(`heal`), func(s *story, _ command, _ []string) error { s.hub.Heal(); return nil }},
	{form(`hold webhooks`), func(s *story, _ command, _ []string) error {
		s.wire.set(true, false)
		return nil
	}},
	{form(`release webhooks( twice)?( reversed)?`), (*story).release},
	{form(`ci (.+) by (\S+)`), (*story).startCI},
	{form(`check (.+) by (\S+) on (\S+): (\w+)`), (*story).check},
	{form(`status (.+) by (\S+) on (\S+): (\w+)`), (*story).status},
	{form(`sweep`), func(s *story, _ command, _ []string) error { return s.life.rooms.SweepBranches(context.Background()) }},
	{form(`expect offered: (.+)`), (*story).expectOffered},
	{form(`expect (\d+) (\w+)(?:: (.+))?`), (*story).expect},
	{form(`expect missed (\d+)`), (*story).expectMissed},
	{form(`expect breach: (.+)`), func(s *story, _ command, a []string) error {
		s.breaches = append(s.breaches, a[0])
		return nil
	}},
	{form(`expect head (\S+) (\S+)`), func(s *story, _ command, a []string) error {
		if tip := s.tip(a[0]); s.named(tip) != a[1] {
			return fmt.Errorf("it is at %s", s.short(tip))
		}
		return nil
	}},
	{form(`expect trunk`), func(s *story, _ command, _ []string) error { s.compare("expect trunk", s.sayTrunks()); return nil }},
	{form(`expect records`), func(s *story, c command, _ []string) error {
		s.compare(c.text, s.sayRecords())
		return nil
	}},
	{form(`expect (comments|words) (\d+)`), func(s *story, c command, a []string) error {
		n, _ := strconv.Atoi(a[1])
		s.compare(c.text, s.sayComments(n, a[0] == "words"))
		return nil
	}},
}

func form(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }

// refusal stands before another verb.
var refusal = form(`refused ([^:]+): (.+)`)

// do carries out one command. What it makes the hub send has arrived when it returns.
func (s *story) do(c command) error {
	if m := refusal.FindStringSubmatch(c.text); m != nil {
		err := s.do(command{number: c.number, text: m[1], below: c.below})
		if err == nil {
			return errors.New("nobody refused it")
		}
		if !strings.Contains(err.Error(), m[2]) {
			return err
		}
		return nil
	}
	if strings.HasPrefix(c.text, "expect ") && s.life == nil {
		return errors.New("lander is down: start one first")
	}
	for _, v := range verbs {
		if m := v.form.FindStringSubmatch(c.text); m != nil {
			return errors.Join(v.do(s, c, m[1:]), s.delivered())
		}
	}
	return errors.New("not understood; see the package's doc")
}

// settled settles. That lander was killed on the way is for the story to go on with.
func (s *story) settled(poll bool) error {
	err := s.world.settle(poll)
	if errors.Is(err, errKilled) {
		s.log.note("lander was killed")
		return nil
	}
	return err
}

// everywhere arms every point of the road, lets lander live through it, poll by poll, and shows what struck in which order.
func (s *story) everywhere(_ command, a []string) error {
	for _, name := range pointNames {
		switch {
		case name == "read", name == "save": // the one runs beside the others, and the other is all of them
			continue
		case name == "test" && a[0] == "fail": // that is the machine's fault, and too much of it sets a change aside
			continue
		}
		for _, after := range []bool{false, true} {
			if err := s.points.arm(point{name: name, after: after, kill: a[0] == "crash"}); err != nil {
				return err
			}
		}
	}
	armed := s.points.left()
	var struck strings.Builder
	for quiet := 0; quiet < 5; quiet++ {
		if s.life == nil {
			s.start()
		}
		s.advance(time.Minute)
		if err := s.settled(true); err != nil {
			return err
		}
		left := s.points.left()
		for _, p := range armed {
			if !slices.Contains(left, p) {
				fmt.Fprintln(&struck, p)
				quiet = -1
			}
		}
		armed = left
	}
	s.points.disarm()
	s.compare("expect "+a[0]+" everywhere", struck.String())
	return nil
}

func (s *story) pause(_ command, a []string) error {
	s.pauses = append(s.pauses, pause{from: s.Now()})
	return s.order(queue.Paused{By: a[0], Reason: a[1], At: s.Now()})
}

func (s *story) resume(_ command, a []string) error {
	for i := range s.pauses {
		if s.pauses[i].to.IsZero() {
			s.pauses[i].to = s.Now()
		}
	}
	return s.order(queue.Resumed{By: a[0], At: s.Now()})
}

func (s *story) order(ev queue.Event) error {
	if s.life == nil {
		return errors.New("lander is down")
	}
	for _, l := range s.lanes {
		if _, err := s.life.store.Post(context.Background(), l, ev); err != nil {
			return err
		}
	}
	return nil
}

// replace lets another lander take over while this one does not know.
func (s *story) replace(command, []string) error {
	if s.zombie != nil || s.life == nil {
		return errors.New("want exactly one lander")
	}
	old := s.life
	for _, free := range old.free {
		free()
	}
	s.wire.mu.Lock()
	s.zombie, s.life = old, nil
	s.wire.mu.Unlock()
	s.start()
	return nil
}

// haunt lets the lander that was replaced do what it would do. It must find out that it may not.
func (s *story) haunt(command, []string) error {
	if s.zombie == nil {
		return errors.New("there is no zombie")
	}
	err := s.zombie.round(false)
	s.log.note("zombie: %v", err)
	if err != nil && !errors.Is(err, queue.ErrStale) {
		return err
	}
	return nil
}

func (s *story) release(_ command, a []string) error {
	times := 1
	if a[0] != "" {
		times = 2
	}
	for _, code := range s.wire.release(times, a[1] != "") {
		if code != 202 {
			return fmt.Errorf("a webhook was answered with %d", code)
		}
	}
	return nil
}

// expect holds one pull request's standing, as lander has it stored, against the story.
func (s *story) expect(_ command, a []string) error {
	n, _ := strconv.Atoi(a[0])
	got := s.sayStanding(s.lanes[0], n)
	stage, reason, _ := strings.Cut(got, ": ")
	if stage != a[1] || !strings.Contains(reason, a[2]) {
		return fmt.Errorf("it is %s", got)
	}
	return nil
}

// expectMissed holds the count of webhooks that did not arrive, as the API tells it of the first lane.
func (s *story) expectMissed(_ command, a []string) error {
	answer := httptest.NewRecorder()
	s.life.web.ServeHTTP(answer, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/api/v1/lanes", nil))
	var told struct{ Lanes []web.LaneView }
	if err := json.Unmarshal(answer.Body.Bytes(), &told); err != nil || len(told.Lanes) == 0 {
		return fmt.Errorf("it is told: %d %s", answer.Code, answer.Body)
	}
	if got := strconv.Itoa(told.Lanes[0].Missed); got != a[0] {
		return fmt.Errorf("it is %s", got)
	}
	return nil
}
