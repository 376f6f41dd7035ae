package fleet

import (
	"os"
	"testing"

	"lander/internal/store/embedded"
)

func TestMain(m *testing.M) {
	embedded.Supervise()
	if order := os.Getenv(orderKey); order != "" {
		os.Exit(replicate(order))
	}
	status := m.Run()
	if err := house.close(); err != nil {
		os.Stderr.WriteString("fleet: " + err.Error() + "\n")
		status = max(status, 1)
	}
	os.Exit(status)
}
