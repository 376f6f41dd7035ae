package serve

import (
	"slices"
	"testing"

	"lander/internal/config"
)

func TestSecretsOfLogs(t *testing.T) {
	t.Parallel()
	s := config.Server{
		Token: config.NewSecret("forge-token"), DatabaseURL: config.NewSecret("postgres://lander:db-password@h/db"),
		WebhookSecrets: []config.Secret{config.NewSecret("hook-1"), config.NewSecret("hook-2")}, RunEnv: []string{"GOPROXY", "NPM_TOKEN", "ssh_key", "NO_SECRET"},
	}
	own := map[string]string{"GOPROXY": "https://proxy", "NPM_TOKEN": "npm-token", "ssh_key": "key"}
	want := []string{"forge-token", "postgres://lander:db-password@h/db", "db-password", "hook-1", "hook-2", "npm-token", "key"}
	if got := secrets(s, func(name string) string { return own[name] }); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
