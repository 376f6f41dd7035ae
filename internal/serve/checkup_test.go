package serve

import (
	"net/http/httptest"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"lander/internal/config"
	"lander/internal/hub"
	"lander/internal/queue"
	"lander/internal/store"
	"lander/internal/store/storetest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdVariable); dir != "" {
		os.Exit(hold(dir))
	}
	storetest.Main(m, store.Migrate)
}

func TestALanderThatStartsHearsWhatIsNotGood(t *testing.T) {
	t.Parallel()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	h, err := hub.Open(t.TempDir(), hub.Options{})
	must(err)
	srv := httptest.NewServer(h.Handler())
	t.Cleanup(func() { srv.Close(); _ = h.Close() })
	h.SetURL(srv.URL)
	_, err = h.AddUser(hub.User{Login: "lander", Type: "Bot"})
	must(err)
	must(h.AddRepo("acme/app", hub.Seed{Files: map[string]string{"README.md": "# app\n"}}))
	must(h.SetRole("acme/app", "lander", hub.RoleWrite))
	token, err := h.AddToken("lander", "")
	must(err)
	s, err := store.Open(t.Context(), storetest.New(t), zerolog.Nop())
	must(err)
	t.Cleanup(s.Close)
	settings, err := config.Load(config.Source{Env: map[string]string{
		"LANDER_FORGE_URL": srv.URL + "/api/v3", "LANDER_TOKEN": token, "LANDER_DATA_DIR": t.TempDir(), "LANDER_LANES": "acme/app:main,acme/app:next",
	}, Serving: true})
	must(err)

	checkUp := func(now func() time.Time) map[string]Finding {
		t.Helper()
		client, err := NewForge(settings, ForgeOptions{Now: now, Log: zerolog.Nop()})
		must(err)
		found := map[string]Finding{}
		for _, f := range (&Rooms{Settings: settings, Store: s, Forge: client, Now: now}).CheckUp(t.Context()) {
			if f.Mark == Good || f.Found == "" {
				t.Errorf("told without need: %+v", f)
			}
			if _, twice := found[f.Check]; twice {
				t.Errorf("%s is told twice", f.Check)
			}
			found[f.Check] = f
		}
		return found
	}
	serious := []string{"database-clock", "forge-clock", "push-atomic", "data-directory", "git"}
	for check, f := range checkUp(nil) { // the machine's own git and disk may be worth a word
		if slices.Contains(serious, check) {
			t.Errorf("all is well, but: %+v", f)
		}
	}
	must(h.Fault("no atomic pushes"))
	found := checkUp(func() time.Time { return time.Now().Add(time.Hour) })
	for _, check := range []string{"database-clock", "forge-clock", "push-atomic"} {
		if f := found[check]; f.Mark != Warning || f.Mend == "" {
			t.Errorf("%s: %+v", check, f)
		}
	}
	if f := found["push-atomic"]; f.About != settings.Lanes[0].Repo || f.Mend != saySingleRef {
		t.Errorf("single-ref mode: %+v", f)
	}
	if branches, err := h.Tip("acme/app", queue.LedgerPrefix+"main"); err == nil {
		t.Errorf("a ledger was made: %s", branches)
	}

	srv.Close()
	s.Close()
	found = checkUp(nil)
	for _, check := range []string{"database-clock", "forge-clock"} {
		if f := found[check]; !f.Away {
			t.Errorf("nobody is there: %+v", f)
		}
	}
	if f := found["push-atomic"]; f.Mark != Unproven {
		t.Errorf("nobody is there: %+v", f)
	}
}
