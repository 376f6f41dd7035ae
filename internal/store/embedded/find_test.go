package embedded

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// program writes a small program, as a package would install it.
func program(t *testing.T, path, script string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func postgres(t *testing.T, bin, version string) {
	t.Helper()
	program(t, bin+"/postgres", "echo 'postgres (PostgreSQL) "+version+"'")
	program(t, bin+"/initdb", "exit 0")
}

// Not parallel, none of it: a program cannot be run while another goroutine forks with the file open for writing.
func TestSearch(t *testing.T) {
	root := t.TempDir()
	debian := root + "/usr/lib/postgresql/*/bin"
	for version, bin := range map[string]string{
		"13.9": "13", "15.14 (Debian 15.14-0+deb12u1)": "15", "16beta1": "16", "9.6.24": "9.6",
	} {
		postgres(t, root+"/usr/lib/postgresql/"+bin+"/bin", version)
	}
	postgres(t, root+"/path", "15.2")
	postgres(t, root+"/custom", "18.0")
	program(t, root+"/configured/pg_config", "echo "+root+"/custom")
	program(t, root+"/half/postgres", "echo 'postgres (PostgreSQL) 17.0'") // a client package: no initdb
	program(t, root+"/broken/postgres", "exit 127")
	program(t, root+"/strange/postgres", "echo 'EnterpriseDB 17.0'")
	program(t, root+"/strange/initdb", "exit 0")

	for _, c := range []struct {
		name string
		search
		want string // directory below root, or what the error says
	}{
		{"the newest in the usual places", search{places: []string{debian}}, "usr/lib/postgresql/16/bin"},
		{"PATH first where equally new", search{path: root + "/path", places: []string{root + "/usr/lib/postgresql/15/bin"}}, "path"},
		{"newer elsewhere beats PATH", search{path: root + "/path", places: []string{debian}}, "usr/lib/postgresql/16/bin"},
		{"pg_config knows more", search{path: root + "/configured", places: []string{debian}}, "custom"},
		{"the override decides alone", search{bin: root + "/path", path: root + "/custom", places: []string{debian}}, "path"},
		{"a wrong override is told", search{bin: root + "/empty", places: []string{debian}}, BinVariable + " must name"},
		{"an old override is told", search{bin: root + "/usr/lib/postgresql/13/bin"}, "13 is older than 14"},
		{"only old ones", search{places: []string{root + "/usr/lib/postgresql/13/bin", root + "/usr/lib/postgresql/9.6/bin"}}, "no PostgreSQL 14 or newer"},
		{"nothing that works", search{path: root + "/half:" + root + "/broken:" + root + "/strange:relative:"}, "no PostgreSQL 14 or newer"},
		{"nothing at all", search{}, "LANDER_DATABASE_URL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, err := c.all()
			if err != nil {
				if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("got %q, want one line with %q", err, c.want)
				}
				return
			}
			if got := all[0].Bin; got != filepath.Join(root, c.want) {
				t.Errorf("found %v, want %s", all, c.want)
			}
		})
	}
}

// The machine that runs the tests has a PostgreSQL, and what Find says is it.
func TestFind(t *testing.T) {
	got, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	if got.Major < oldest || !filepath.IsAbs(got.Bin) {
		t.Errorf("found %+v", got)
	}
	t.Setenv(BinVariable, got.Bin)
	if again, err := Find(); err != nil || again != got {
		t.Errorf("by %s: %+v, %v; want %+v", BinVariable, again, err, got)
	}
}

func TestInstallCommand(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		goos, osRelease string
		root            bool
		want            string
	}{
		{"linux", "PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n", true, "apt-get install postgresql"},
		{"linux", "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", false, "sudo apt-get install postgresql"},
		{"linux", "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", false, "sudo dnf install postgresql-server"},
		{"linux", "ID=fedora", false, "sudo dnf install postgresql-server"},
		{"linux", "ID=alpine", true, "apk add postgresql"},
		{"linux", "ID=arch", false, "sudo pacman -S postgresql"},
		{"linux", "ID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"", false, "sudo zypper install postgresql-server"},
		{"darwin", "", false, "brew install postgresql@17"},
		{"linux", "ID=plan9", false, ""},
		{"linux", "", false, ""},
	} {
		if got := installCommand(c.goos, c.osRelease, c.root); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.goos, c.osRelease, got, c.want)
		}
	}
}

func TestNoPostgresIsOneSentence(t *testing.T) {
	t.Parallel()
	want := "find PostgreSQL: there is no PostgreSQL 14 or newer on this machine; install it with: apt-get install postgresql; " +
		"or point LANDER_DATABASE_URL at a PostgreSQL server of your own"
	if got := noPostgres("apt-get install postgresql").Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := noPostgres("").Error(); !strings.Contains(got, "install PostgreSQL with your package manager") {
		t.Errorf("got %s", got)
	}
}

func TestStartWithoutSupervise(t *testing.T) {
	supervised.Store(false)
	defer supervised.Store(true)
	if _, err := Start(t.Context(), Options{}); err == nil || !strings.Contains(err.Error(), "Supervise was not called") {
		t.Errorf("got %v", err)
	}
}
