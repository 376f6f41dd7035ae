package hub

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

func TestHooksAndDeliveriesOverREST(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	down := true
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if down {
			http.Error(rw, "broken", http.StatusServiceUnavailable)
		}
	}))
	defer srv.Close()
	hook := map[string]any{
		"name": "web", "events": []string{"issue_comment"}, "config": map[string]string{"url": srv.URL, "secret": "x", "content_type": "json"},
	}
	w.ok(404, "wim", "POST", repoPath("/hooks"), hook, nil)
	var k struct {
		ID     int64
		Events []string
		Config map[string]string
	}
	w.ok(201, "ada", "POST", repoPath("/hooks"), hook, &k)
	if k.Config["secret"] != "********" || !slices.Equal(k.Events, []string{"issue_comment"}) {
		t.Errorf("hook %+v", k)
	}
	w.ok(422, "ada", "POST", repoPath("/hooks"), map[string]any{"events": []string{"earthquake"}, "config": map[string]string{"url": srv.URL}}, nil)
	w.ok(422, "ada", "POST", repoPath("/hooks"), map[string]any{"events": []string{"push"}}, nil)
	n := w.pull("feature", map[string]string{"f": "1\n"})
	w.must2(w.hub.Comment(app, n, "mia", "Hello."))
	w.delivered()
	var all []struct {
		ID         int64
		GUID       string
		Event      string
		Status     string
		Code       int `json:"status_code"`
		Redelivery bool
		Duration   float64
	}
	path := repoPath("/hooks/%d/deliveries", k.ID)
	w.ok(200, "ada", "GET", path, nil, &all)
	if len(all) != 2 || all[0].Event != "issue_comment" || all[0].Code != 503 || all[0].Status != "Service Unavailable" || all[1].Event != "ping" {
		t.Fatalf("deliveries %+v", all)
	}
	failed := all[0]
	down = false
	w.ok(202, "ada", "POST", path+"/"+itoa(failed.ID)+"/attempts", nil, nil)
	w.delivered()
	w.ok(200, "ada", "GET", path, nil, &all)
	if len(all) != 3 || !all[0].Redelivery || all[0].GUID != failed.GUID || all[0].Code != 200 || all[0].ID == failed.ID {
		t.Errorf("after another attempt: %+v", all[0])
	}
	var one struct {
		Request struct {
			Headers map[string]string
			Payload struct{ Action string }
		}
	}
	w.ok(200, "ada", "GET", path+"/"+itoa(failed.ID), nil, &one)
	if one.Request.Payload.Action != "created" || one.Request.Headers["X-Github-Event"] != "issue_comment" {
		t.Errorf("delivery %+v", one)
	}
	w.ok(404, "wim", "GET", path, nil, nil)
	w.ok(204, "ada", "DELETE", repoPath("/hooks/%d", k.ID), nil, nil)
	w.ok(404, "ada", "GET", repoPath("/hooks/%d", k.ID), nil, nil)
	w.must2(w.hub.Comment(app, n, "mia", "Nobody hears."))
}

func TestAReceiverThatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	w.must2(w.hub.AddHook(app, srv.URL, secret))
	w.delivered()
	all, err := w.hub.Deliveries(app)
	w.must(err)
	if len(all) != 1 || !all[0].Done || all[0].Code != 0 || all[0].Status != "failed to connect to host" {
		t.Errorf("deliveries %+v", all)
	}
}
