package sim

import (
	"errors"
	"fmt"
	"strings"
)

// Every sentence of this room that a person may read.

func errNoPast() error { return errors.New("there are no changes in it") }

func errNoLength() error {
	return errors.New("nothing in it tells how long a run takes: give runs, or say it with --length")
}

func errUnknown(name, with string) error {
	return fmt.Errorf("change %q is bad together with %q, and there is no such change in it", name, with)
}

func errItself(name string) error {
	return fmt.Errorf("change %q cannot be bad together with itself", name)
}

func errRead(err error) error { return fmt.Errorf("read the past: %w", err) }

func errLine(line int, err error) error { return fmt.Errorf("line %d: %w", line, err) }
func errItem(n int, err error) error    { return fmt.Errorf("change number %d: %w", n, err) }

func errColumn(name string) error {
	return fmt.Errorf("there is no column %q; there are: %s", name, strings.Join(columns, ", "))
}

func errNoApproved() error {
	return fmt.Errorf("the first line must name the columns, approved among them; there are: %s", strings.Join(columns, ", "))
}

func errValue(name string) error { return fmt.Errorf("%s must be a text or a number", name) }

func errTime(name, text string) error {
	return fmt.Errorf("%s %q: want a time as in 2026-03-04T12:00:00Z", name, text)
}

func errBackwards() error { return errors.New("it was settled before it was approved") }

func errRun(text string) error {
	return fmt.Errorf("run %q: want a length of time as in 20m, or a number of seconds, of a week at most", text)
}

func errVerdict(text string) error { return fmt.Errorf("verdict %q: want good or bad", text) }

const (
	sayPicture  = "Time from approval to settled, 95 of 100 changes, in run lengths. × above: the queue grows without end."
	sayRate     = "changes an hour"
	sayUnstable = "grows"
)

func sayPanel(w Workload) string {
	if w.Workers == 1 {
		return fmt.Sprintf("1 run at a time, each %s", short(w.Length))
	}
	return fmt.Sprintf("%d runs at a time, each %s", w.Workers, short(w.Length))
}
