package sim

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The columns of a past, in the first line of a CSV and as the names in JSON. All but approved may be left out, and a value may be empty.
const (
	colChange   = "change"   // a name, for with
	colApproved = "approved" // a time as in 2026-03-04T12:00:00Z
	colSettled  = "settled"  // a time: when it landed or was dropped
	colRun      = "run"      // how long a run of it took: as in 20m or 1h5m, or a number of seconds
	colVerdict  = "verdict"  // good or bad: whether its own tests passed
	colWith     = "with"     // the change with which it is bad only together
)

var columns = []string{colChange, colApproved, colSettled, colRun, colVerdict, colWith}

// longestRun is how long one may have taken. Beyond that a number most likely has another unit.
const longestRun = 7 * 24 * time.Hour

// ReadPast reads a past from CSV with a head, or from JSON, a list of objects. Its errors are sentences that name the line or the place.
func ReadPast(r io.Reader) (Past, error) {
	in := bufio.NewReader(r)
	for {
		c, _, err := in.ReadRune()
		if errors.Is(err, io.EOF) {
			return Past{}, errNoPast()
		}
		if err != nil {
			return Past{}, errRead(err)
		}
		if strings.ContainsRune(" \t\r\n\ufeff", c) {
			continue
		}
		if err := in.UnreadRune(); err != nil {
			return Past{}, errRead(err)
		}
		if c == '[' {
			return readJSON(in)
		}
		return readCSV(in)
	}
}

func readCSV(r io.Reader) (p Past, err error) {
	in := csv.NewReader(r)
	in.TrimLeadingSpace = true
	head, err := in.Read()
	if err != nil {
		return p, errRead(err)
	}
	for i := range head {
		head[i] = strings.ToLower(strings.TrimSpace(head[i]))
		if !slices.Contains(columns, head[i]) {
			return p, errColumn(head[i])
		}
	}
	if !slices.Contains(head, colApproved) {
		return p, errNoApproved()
	}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return p, errRead(err)
		}
		line, _ := in.FieldPos(0)
		values := map[string]string{}
		for i, v := range row {
			values[head[i]] = strings.TrimSpace(v)
		}
		c, err := pastChange(values)
		if err != nil {
			return p, errLine(line, err)
		}
		p.Changes = append(p.Changes, c)
	}
}

func readJSON(r io.Reader) (p Past, err error) {
	in := json.NewDecoder(r)
	in.UseNumber()
	var all []map[string]any
	if err := in.Decode(&all); err != nil {
		return p, errRead(err)
	}
	for n, object := range all {
		values := map[string]string{}
		for name, v := range object {
			if !slices.Contains(columns, name) {
				return p, errItem(n+1, errColumn(name))
			}
			switch v := v.(type) {
			case nil:
			case string:
				values[name] = strings.TrimSpace(v)
			case json.Number:
				values[name] = v.String()
			default:
				return p, errItem(n+1, errValue(name))
			}
		}
		c, err := pastChange(values)
		if err != nil {
			return p, errItem(n+1, err)
		}
		p.Changes = append(p.Changes, c)
	}
	return p, nil
}

func pastChange(values map[string]string) (c PastChange, err error) {
	c.Name, c.With = values[colChange], values[colWith]
	if c.Approved, err = instant(colApproved, values); err != nil {
		return c, err
	}
	if c.Approved.IsZero() {
		return c, errTime(colApproved, "")
	}
	if c.Settled, err = instant(colSettled, values); err != nil {
		return c, err
	}
	if !c.Settled.IsZero() && c.Settled.Before(c.Approved) {
		return c, errBackwards()
	}
	if c.Run, err = length(values[colRun]); err != nil {
		return c, err
	}
	switch values[colVerdict] {
	case "", "good":
	case "bad":
		c.Bad = true
	default:
		return c, errVerdict(values[colVerdict])
	}
	c.Bad = c.Bad || c.With != ""
	return c, nil
}

func instant(name string, values map[string]string) (time.Time, error) {
	text := values[name]
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.Year() < 1990 || t.Year() > 2200 {
		return t, errTime(name, text)
	}
	return t.UTC(), nil
}

func length(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if seconds, wrong := strconv.ParseFloat(text, 64); wrong == nil && seconds < longestRun.Seconds() {
		d, err = time.Duration(seconds*float64(time.Second)), nil
	}
	if err != nil || d <= 0 || d > longestRun {
		return 0, errRun(text)
	}
	return d, nil
}
