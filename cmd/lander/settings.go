package main

import (
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"lander/internal/config"
)

// settingFlags gives a verb the flags of all settings, or of those named.
func (p *program) settingFlags(c *cobra.Command, names ...string) {
	for _, s := range config.Settings() {
		if len(names) > 0 && !slices.Contains(names, s.Name) {
			continue
		}
		c.Flags().Var(&words{kind: kindOf(s)}, s.Flag, saySetting(s))
		if s.Bool {
			c.Flags().Lookup(s.Flag).NoOptDefVal = "true"
		}
	}
	c.Flags().StringVar(&p.config, "config", "", usageConfig)
}

// words is a flag's value as it was given; config finds out what it means.
type words struct {
	given []string
	kind  string
}

func (w *words) String() string     { return "" }
func (w *words) Set(s string) error { w.given = append(w.given, s); return nil }
func (w *words) Type() string       { return w.kind }

// kindOf is what stands behind the flag in the help.
func kindOf(s config.Setting) string {
	switch {
	case strings.HasSuffix(s.Flag, "-file"):
		return "file"
	case s.Bool:
		return "bool"
	case s.List:
		return "list"
	}
	return "value"
}

// load reads the settings from the verb's flags, the environment and the file.
func (p *program) load(c *cobra.Command, serving bool) (config.Server, error) {
	return p.loadAs(c, config.Source{Serving: serving})
}

// loadAs reads them for what the source says that they are for.
func (p *program) loadAs(c *cobra.Command, src config.Source) (config.Server, error) {
	flags := map[string][]string{}
	for _, s := range config.Settings() {
		if f := c.Flags().Lookup(s.Flag); f != nil && f.Changed {
			if w, ok := f.Value.(*words); ok { // a verb may have a flag of that name with another meaning
				flags[s.Flag] = w.given
			}
		}
	}
	src.Flags, src.Env, src.File, src.UID = flags, p.env, p.config, os.Getuid()
	settings, err := config.Load(src)
	if err != nil {
		return config.Server{}, usage(err)
	}
	return settings, nil
}

// misspelt lists the variables that look like settings and are none, with what was most likely meant.
func (p *program) misspelt() map[string]string {
	var known []string
	for _, s := range config.Settings() {
		known = append(known, s.Env, s.Env+"_FILE")
	}
	known = append(known, "LANDER_CONFIG", "LANDER_SERVER", "LANDER_POSTGRES_BIN")
	found := map[string]string{}
	for name := range p.env {
		if strings.HasPrefix(name, "LANDER_") && !slices.Contains(known, name) {
			if meant := nearSetting(name, known); meant != "" {
				found[name] = meant
			}
		}
	}
	return found
}

// nearSetting leaves out what all the names have in common, and suggests only what is very near: a test run has LANDER_ variables that
// are no settings.
func nearSetting(name string, known []string) string {
	const prefix = "LANDER_"
	tails := make([]string, len(known))
	for i, k := range known {
		tails[i] = strings.TrimPrefix(k, prefix)
	}
	tail := strings.TrimPrefix(name, prefix)
	if meant := config.Nearest(tail, tails); meant != "" && tail[0] == meant[0] && max(len(tail)-len(meant), len(meant)-len(tail)) <= 2 {
		return prefix + meant
	}
	return ""
}
