package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"lander/internal/config"
	"lander/internal/hub"
)

// mostIdle is how much memory an idle lander may hold, in MB, without Postgres.
const mostIdle = 60

// BenchmarkIdle is an idle "lander serve" that keeps a lane with 20 open pull requests: the memory that its process holds, and the
// processor time it takes, while it polls every second and nothing happens.
func BenchmarkIdle(b *testing.B) {
	dir, err := os.MkdirTemp("", "lander-idle-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	h, err := hub.Open(filepath.Join(dir, "hub"), hub.Options{RateLimit: 1_000_000})
	if err != nil {
		b.Fatal(err)
	}
	site := httptest.NewServer(h.Handler())
	defer site.Close()
	h.SetURL(site.URL)
	token := populate(b, h, 20)
	cmd := exec.Command(filepath.Join(strings.Split(os.Getenv("PATH"), ":")[0], "lander"), "serve")
	cmd.Env = append(os.Environ(), "LANDER_DATA_DIR="+filepath.Join(dir, "data"), "LANDER_LISTEN=127.0.0.1:0", "LANDER_FORGE_URL="+site.URL+"/api/v3",
		"LANDER_TOKEN="+token, "LANDER_LANES="+repository+":main", "LANDER_POLL=1s")
	log, err := cmd.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait(); _ = h.Close() }()
	var said bytes.Buffer
	lines := bufio.NewScanner(log)
	for lines.Scan() && !strings.Contains(lines.Text(), "lander is up") {
		said.WriteString(lines.Text() + "\n")
	}
	cl := localClient(config.Server{DataDir: filepath.Join(dir, "data")})
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		var all struct {
			Idle []struct{} `json:"idle"`
		}
		err := cl.call(b.Context(), "GET", "/api/v1/queue", nil, nil, &all)
		if err == nil && len(all.Idle) == 20 {
			break
		}
		if time.Now().After(deadline) {
			b.Fatalf("it has not seen all pull requests: %v, %d\n%s", err, len(all.Idle), &said)
		}
	}
	most, began, spent := 0.0, time.Now(), processorTime(b, cmd.Process.Pid)
	for b.Loop() {
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			most = max(most, resident(b, cmd.Process.Pid))
		}
	}
	b.ReportMetric(most, "MB")
	b.ReportMetric(float64(processorTime(b, cmd.Process.Pid)-spent)/float64(time.Since(began))*100, "%cpu")
	b.ReportMetric(0, "ns/op")
	if most > mostIdle {
		b.Errorf("an idle lander holds %.1f MB, and may hold %d", most, mostIdle)
	}
}

func populate(b *testing.B, h *hub.Hub, pulls int) (token string) {
	b.Helper()
	check := func(err error) {
		if err != nil {
			b.Helper()
			b.Fatal(err)
		}
	}
	for _, login := range []string{"noor", "lander"} {
		_, err := h.AddUser(hub.User{Login: login})
		check(err)
	}
	check(h.AddRepo(repository, hub.Seed{Files: map[string]string{".lander.yml": "version: 1\nsuite: {steps: [{name: unit, run: \"true\"}]}\n"}, Message: "Begin"}))
	check(h.SetRole(repository, "noor", hub.RoleWrite))
	check(h.SetRole(repository, "lander", hub.RoleAdmin))
	for i := range pulls {
		name := fmt.Sprintf("change-%d", i)
		_, err := h.Push(repository, hub.Push{By: "noor", Branch: name, From: "main", Commits: []hub.Commit{{Message: name, Files: map[string]string{name: "1\n"}}}})
		check(err)
		_, err = h.OpenPull(repository, hub.NewPull{Author: "noor", Title: name, Head: name})
		check(err)
	}
	token, err := h.AddToken("lander", "")
	check(err)
	return token
}

// resident is VmRSS in MB.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	kb, err := strconv.ParseFloat(strings.Fields(after)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb / 1024
}

// processorTime is what a process has taken, its children not counted.
func processorTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	var ticks int64
	for _, f := range fields[11:13] { // utime and stime, in hundredths of a second
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100
}
