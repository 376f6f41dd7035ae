//go:build linux && !amd64 && !arm64

package testrun

// hasFilter says that there is a filter for this architecture.
const hasFilter = false

func filter() []byte { return nil }
