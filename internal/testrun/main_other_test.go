//go:build !linux

package testrun

// There is no sandbox to be hostile to.

func hostileProgram(string, []string) int { return 2 }

func ordealHelper(string) {}
