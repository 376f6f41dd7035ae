package serve

import (
	"net/url"
	"slices"
	"strings"

	"lander/internal/config"
)

// secrets are what no log of a test run may show: lander's own, which no run gets, and of what runs are given the variables whose names
// say that they are secret.
func secrets(s config.Server, own func(string) string) []string {
	all := []string{s.Token.Reveal(), s.App.Key.Reveal(), s.APIToken.Reveal(), s.SigningKey.Reveal(), s.DatabaseURL.Reveal(), s.ReadToken.Reveal()}
	if u, err := url.Parse(s.DatabaseURL.Reveal()); err == nil && u.User != nil {
		password, _ := u.User.Password()
		all = append(all, password)
	}
	for _, w := range s.WebhookSecrets {
		all = append(all, w.Reveal())
	}
	for _, name := range s.RunEnv {
		says := func(word string) bool { return strings.Contains(strings.ToUpper(name), word) }
		if slices.ContainsFunc([]string{"TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "KEY", "AUTH"}, says) {
			all = append(all, own(name))
		}
	}
	return slices.DeleteFunc(all, func(secret string) bool { return secret == "" })
}
