package config

import (
	"slices"
	"strings"
	"testing"
)

func TestLabelsOfASuite(t *testing.T) {
	t.Parallel()
	p, err := ParsePolicy([]byte("suite:\n  labels: [linux, big]\n  steps: [{name: a, run: b}]\n"))
	if err != nil || !slices.Equal(p.Recipe.Labels, []string{"big", "linux"}) {
		t.Errorf("labels %v, %v", p.Recipe.Labels, err)
	}
	for _, bad := range []string{"[Big]", "[a, b, c, d, e]", "big", "[[a]]"} {
		if p, err := ParsePolicy([]byte("suite: {labels: " + bad + "}\n")); err == nil {
			t.Errorf("%s are labels: %v", bad, p.Recipe.Labels)
		}
	}
}

func TestSettingsOfAWorker(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"LANDER_DATABASE_URL": "postgres://lander@db/lander", "LANDER_READ_TOKEN": "may-read", "LANDER_RUN_LABELS": "linux,big", "HOME": "/home/me",
		"LANDER_WORKER_NAME": "builder-2",
	}
	s, err := Load(Source{Env: env, UID: 1, Working: true})
	if err != nil || s.WorkerName != "builder-2" || s.ReadToken.Reveal() != "may-read" || !slices.Equal(s.RunLabels, []string{"big", "linux"}) {
		t.Errorf("settings %+v, %v", s, err)
	}
	for name, want := range map[string]string{
		"LANDER_TOKEN": "a worker gets no token", "LANDER_APP_ID": "a worker gets no app.id", "LANDER_SIGNING_KEY": "a worker gets no signing_key",
		"LANDER_API_TOKEN": "a worker gets no api_token", "LANDER_WEBHOOK_SECRETS": "a worker gets no webhook_secrets",
	} {
		with := map[string]string{name: "12345678901234567890"}
		for k, v := range env {
			with[k] = v
		}
		if _, err := Load(Source{Env: with, UID: 1, Working: true}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("with %s: %v", name, err)
		}
	}
	delete(env, "LANDER_DATABASE_URL")
	env["LANDER_WORKERS"] = "none"
	_, err = Load(Source{Env: env, UID: 1, Working: true})
	for _, want := range []string{"needs the database", "nothing to do"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	if s, err := Load(Source{Env: map[string]string{"LANDER_WORKERS": "none", "HOME": "/home/me"}, UID: 1}); err != nil || s.Workers != NoWorkers {
		t.Errorf("workers %d, %v", s.Workers, err)
	}
	for name, bad := range map[string]string{"LANDER_WORKER_NAME": "a b", "LANDER_RUN_LABELS": "Big"} {
		if _, err := Load(Source{Env: map[string]string{name: bad, "HOME": "/home/me"}, UID: 1}); err == nil {
			t.Errorf("%s may be %q", name, bad)
		}
	}
}
