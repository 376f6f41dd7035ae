package main

import (
	"os"

	"github.com/spf13/cobra"

	"lander/internal/config"
)

// settingFlags gives a verb the flags of all settings, or of those named.
func (p *program) settingFlags(c *cobra.Command, names ...string) {
	wanted := map[string]bool{}
	for _, n := range names {
		wanted[n] = true
	}
	for _, s := range config.Settings() {
		if len(names) > 0 && !wanted[s.Name] {
			continue
		}
		text := s.Usage
		if s.Default != "" {
			text += " (default: " + s.Default + ")"
		}
		text += " [" + s.Env + "]"
		c.Flags().StringArray(s.Flag, nil, text)
		if s.Bool {
			c.Flags().Lookup(s.Flag).NoOptDefVal = "true"
		}
	}
	c.Flags().StringVar(&p.config, "config", "", "file of settings, YAML [LANDER_CONFIG]")
}

// load reads the settings from the verb's flags, the environment and the file.
func (p *program) load(c *cobra.Command, serving bool) (config.Server, error) {
	flags := map[string][]string{}
	for _, s := range config.Settings() {
		if f := c.Flags().Lookup(s.Flag); f != nil && f.Changed {
			values, err := c.Flags().GetStringArray(s.Flag)
			if err != nil {
				return config.Server{}, usage(err)
			}
			flags[s.Flag] = values
		}
	}
	settings, err := config.Load(config.Source{Flags: flags, Env: p.env, File: p.config, UID: os.Getuid(), Serving: serving})
	if err != nil {
		return config.Server{}, usage(err)
	}
	return settings, nil
}
