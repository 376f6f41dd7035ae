package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lander/internal/config"
)

// wrongFlag turns what cobra finds wrong with a flag into a sentence.
func wrongFlag(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var wrong *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		return usage(errNoSuchFlag(c, unknown.GetSpecifiedName(), nearestFlag(c, unknown.GetSpecifiedName())))
	case errors.As(err, &bare):
		return usage(errNoValue(bare.GetFlag()))
	case errors.As(err, &wrong):
		return usage(errWrongValue(wrong.GetFlag(), wrong.GetValue()))
	}
	return usage(err)
}

func nearestFlag(c *cobra.Command, given string) string {
	var known []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			known = append(known, f.Name)
		}
	})
	if len(given) < 2 { // a letter is near to everything
		return ""
	}
	return config.Nearest(given, known)
}

// verbs is for commands that only hold others: whatever stands behind them is a verb that there is not.
func verbs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			known = append(known, sub.Name())
		}
	}
	return usage(errNoSuchVerb(c, args[0], config.Nearest(args[0], known)))
}

// arguments says which a verb takes, as in "N" or "[DIR]"; those in brackets may be left out.
func arguments(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) > len(names) {
			return usage(errTooMany(c, args[len(names)], names))
		}
		if len(args) < len(names) && !strings.HasPrefix(names[len(args)], "[") {
			return usage(errMissing(c, names[len(args)]))
		}
		return nil
	}
}
