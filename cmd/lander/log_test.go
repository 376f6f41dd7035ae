package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"lander/internal/queue"
	"lander/internal/web"
)

// tale is a lander of which one change's runs are asked for: each look shows the next of its views, and the last one for ever.
type tale struct {
	mu    sync.Mutex
	views []web.ChangeView
	asked []string // logs
}

func (s *tale) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case strings.HasPrefix(r.URL.Path, "/logs/"):
		s.asked = append(s.asked, r.URL.String())
		if strings.HasPrefix(r.URL.Path, "/logs/9/") {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("log of " + r.URL.Path + "\n"))
	case r.URL.Path == "/api/v1/lanes":
		_ = json.NewEncoder(w).Encode(map[string]any{"lanes": []web.LaneView{{Lane: "acme/app:main"}}})
	default:
		v := s.views[0]
		if len(s.views) > 1 {
			s.views = s.views[1:]
		}
		v.Lane.Lane, v.Standing.Number = "acme/app:main", 7
		_ = json.NewEncoder(w).Encode(v)
	}
}

func TestALogIsFollowedUntilItsRunEnds(t *testing.T) {
	t.Parallel()
	ran := func(candidate queue.CandidateID, n int, o queue.Outcome) web.RunView {
		r := web.RunView{Candidate: candidate, Run: n}
		if o != "" {
			r.Verdict = &queue.Verdict{Outcome: o, Reason: "step \"unit\" exited with 1"}
		}
		return r
	}
	queued := web.ChangeView{Standing: queue.Standing{Stage: queue.StageTesting}}
	with := func(rs ...web.RunView) web.ChangeView { v := queued; v.Runs = rs; return v }
	trial := web.RunView{Candidate: 4, Run: 1, Of: 3}
	for name, c := range map[string]struct {
		args  []string
		views []web.ChangeView
		exit  int
		logs  string // that were shown
		says  string
	}{
		"shown once":            {nil, []web.ChangeView{with(ran(3, 1, ""))}, exitOK, "3/1", ""},
		"the newest":            {nil, []web.ChangeView{with(trial, ran(3, 2, queue.Red), ran(3, 1, queue.Red))}, exitOK, "3/2", ""},
		"nothing yet":           {nil, []web.ChangeView{queued}, exitNo, "", "#7 has not been tested yet"},
		"gone":                  {nil, []web.ChangeView{with(ran(9, 1, queue.Red))}, exitNo, "", "there is no log of run 9.1 there"},
		"green":                 {[]string{"--follow"}, []web.ChangeView{with(ran(3, 1, "")), with(ran(3, 1, "")), with(ran(3, 1, queue.Green))}, exitOK, "3/1", ""},
		"red":                   {[]string{"-f"}, []web.ChangeView{with(ran(3, 1, "")), with(ran(3, 1, queue.Red))}, exitNo, "3/1", "run 3.1 is red: step \"unit\" exited with 1"},
		"not begun, then green": {[]string{"-f"}, []web.ChangeView{queued, with(ran(3, 1, "")), with(ran(3, 1, queue.Green))}, exitOK, "3/1", ""},
		"lost, and begun anew":  {[]string{"-f"}, []web.ChangeView{with(ran(3, 1, "")), with(ran(3, 2, ""), ran(3, 1, "")), with(ran(3, 2, queue.Green))}, exitOK, "3/1 3/2", ""},
		"its turn comes later":  {[]string{"-f"}, []web.ChangeView{with(ran(9, 1, "")), with(ran(9, 1, "")), with(ran(3, 1, "")), with(ran(3, 1, queue.Green))}, exitOK, "3/1", ""},
		"never":                 {[]string{"-f"}, []web.ChangeView{{Standing: queue.Standing{Stage: queue.StageIdle}}}, exitNo, "", "#7 has not been tested yet"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &tale{views: c.views}
			server := httptest.NewServer(s)
			defer server.Close()
			var out, words bytes.Buffer
			code := run(t.Context(), append([]string{"log", "7", "--server", server.URL}, c.args...), []string{"HOME=" + t.TempDir()}, &out, &words)
			var want strings.Builder
			for _, id := range strings.Fields(c.logs) {
				want.WriteString("log of /logs/" + id + "/acme/app/main\n")
			}
			if code != c.exit || out.String() != want.String() || !strings.Contains(words.String(), c.says) || (c.says == "") != (words.Len() == 0) {
				t.Errorf("exit %d, %q, %q", code, out.String(), words.String())
			}
			for _, url := range s.asked {
				if strings.HasSuffix(url, "?follow") != (len(c.args) > 0) {
					t.Errorf("asked for %s", url)
				}
			}
		})
	}
}
