package config

import (
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"lander/internal/queue"
)

// Settings of test runs.

// leastBytes is less than any suite gets by with.
const leastBytes = 16 << 20

func sandbox(s *Server, words []string) string {
	known := []string{"bubblewrap", "none"}
	if !slices.Contains(known, words[0]) {
		return sayWantWord(known, words[0])
	}
	s.Sandbox = words[0]
	return ""
}

func runNetwork(s *Server, words []string) string {
	known := []string{"setup", "all", "none"}
	if !slices.Contains(known, words[0]) {
		return sayWantWord(known, words[0])
	}
	s.RunNetwork = words[0]
	return ""
}

func runRead(s *Server, words []string) string {
	s.RunRead = nil
	for _, w := range words {
		if !filepath.IsAbs(w) || filepath.Clean(w) == "/" {
			return sayWantPath(w)
		}
		s.RunRead = append(s.RunRead, filepath.Clean(w))
	}
	return ""
}

func runLabels(s *Server, words []string) string {
	labels, err := queue.ParseLabels(words)
	if err != nil {
		return sayWantLabels(err)
	}
	s.RunLabels = labels
	return ""
}

func workerName(s *Server, words []string) string {
	if !validWorker.MatchString(words[0]) {
		return sayWantWorkerName(words[0])
	}
	s.WorkerName = words[0]
	return ""
}

// validWorker is what may name a worker: it stands in sentences and logs.
var validWorker = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

func size(field func(*Server) *int64) func(*Server, []string) string {
	return func(s *Server, words []string) string {
		n, ok := parseBytes(words[0])
		if !ok || n < leastBytes {
			return sayWantBytes(words[0])
		}
		*field(s) = n
		return ""
	}
}

// parseBytes reads a size as in 512MiB, 4G or 1073741824. Every unit is a power of 1024.
func parseBytes(text string) (n int64, ok bool) {
	digits := strings.TrimRight(text, "KMGTiBkb")
	factor, known := map[string]float64{
		"": 1, "B": 1, "K": 1 << 10, "KB": 1 << 10, "KIB": 1 << 10, "M": 1 << 20, "MB": 1 << 20, "MIB": 1 << 20,
		"G": 1 << 30, "GB": 1 << 30, "GIB": 1 << 30, "T": 1 << 40, "TB": 1 << 40, "TIB": 1 << 40,
	}[strings.ToUpper(text[len(digits):])]
	f, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	if err != nil || !known || !(f >= 0) || f*factor > math.MaxInt64/2 {
		return 0, false
	}
	return int64(f * factor), true
}

func number(field func(*Server) *int) func(*Server, []string) string {
	return func(s *Server, words []string) string {
		n, err := strconv.Atoi(words[0])
		if err != nil || n < 16 || n > math.MaxInt32 {
			return sayWantCount(words[0])
		}
		*field(s) = n
		return ""
	}
}
