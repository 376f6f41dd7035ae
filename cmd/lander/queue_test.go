package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"lander/internal/web"
)

func TestStatusSaysWhichWebhooksDidNotArrive(t *testing.T) {
	t.Parallel()
	lanes := []web.LaneView{{Lane: "acme/app:main", Running: true}, {Lane: "acme/lib:main", Running: true, Missed: 2}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"lanes": lanes})
	}))
	defer server.Close()
	status := func(args ...string) string {
		var out, words bytes.Buffer
		if code := run(t.Context(), append([]string{"status", "--server", server.URL}, args...), []string{"HOME=" + t.TempDir()}, &out, &words); code != exitOK {
			t.Fatalf("status ended with %d: %s", code, words.String())
		}
		return out.String()
	}
	said := status()
	if !strings.Contains(said, "acme/lib:main: 2 webhooks of the last day did not arrive") || strings.Contains(said, "acme/app:main: ") {
		t.Errorf("one lane missed two, and status says\n%s", said)
	}
	if said := status("--json"); strings.Count(said, `"missed_deliveries": 2`) != 1 || strings.Count(said, "missed_deliveries") != 1 {
		t.Errorf("one lane missed two, and status says\n%s", said)
	}
}
