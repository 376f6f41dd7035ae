package landertest

import (
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"lander/internal/store"
	"lander/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m, store.Migrate) }

var update = flag.Bool("update", false, "write the golden sections of the stories")

func TestStories(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/stories/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("stories: %d, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			Play(t, file, *update)
		})
	}
}
