package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"lander/internal/web"
)

func TestFlakesAreListed(t *testing.T) {
	t.Parallel()
	all := []web.FlakeView{
		{Step: "unit", Test: "app TestNow\x1b[31m", Times: 3, Runs: 60, Rate: .05, Cost: 4 * time.Minute},
		{Step: "e2e", Times: 1, Runs: 1, Rate: 1, Cost: time.Second},
	}
	asked := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/flakes" {
			asked = r.URL.Query().Get("lane")
			_ = json.NewEncoder(w).Encode(map[string]any{"lane": asked, "flakes": all})
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"lanes": []web.LaneView{{Lane: "acme/app:main", Running: true}}})
	}))
	defer server.Close()
	flakes := func(args ...string) string {
		var out, words bytes.Buffer
		if code := run(t.Context(), append([]string{"flakes", "--server", server.URL}, args...), []string{"HOME=" + t.TempDir()}, &out, &words); code != exitOK {
			t.Fatalf("flakes ended with %d: %s", code, words.String())
		}
		return out.String()
	}
	said := flakes()
	for _, want := range []string{"app TestNow", "5.0 %", "(the step as a whole)", "100.0 %", "60"} {
		if !strings.Contains(said, want) {
			t.Errorf("it lacks %q:\n%s", want, said)
		}
	}
	if strings.Contains(said, "\x1b") || asked != "acme/app:main" {
		t.Errorf("of %s it says %q", asked, said)
	}
	if said := flakes("--json"); !strings.Contains(said, `"rate": 0.05`) {
		t.Errorf("as JSON: %s", said)
	}
	if all = nil; !strings.Contains(flakes(), sayNoFlakes) {
		t.Error("nothing is not called nothing")
	}
}
