package main

import (
	"errors"
	"fmt"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"lander/internal/config"
	"lander/internal/serve"
)

func (p *program) serve() *cobra.Command {
	c := &cobra.Command{
		Use:     "serve",
		Short:   shortServe,
		Example: exampleServe,
		Args:    arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			settings, err := p.load(c, true)
			if err != nil {
				return err
			}
			log := p.logger(settings.Log)
			for name, meant := range p.misspelt() {
				log.Warn().Msg(sayMisspelt(name, meant))
			}
			s, err := serve.Start(c.Context(), serve.Options{Settings: settings, Log: log, Version: version})
			var away *serve.DatabaseError
			switch {
			case errors.As(err, &away):
				return unreachable(err)
			case err != nil:
				return no(err)
			}
			defer s.Stop()
			log.Info().Str("url", s.URL()).Str("data", settings.DataDir).Str("version", version).Msg("lander is up")
			if err := s.Wait(c.Context()); err != nil {
				return no(err)
			}
			log.Info().Msg("lander is going down")
			return nil
		},
	}
	p.settingFlags(c)
	return c
}

// logger writes to standard error: JSON, or lines for people.
func (p *program) logger(l config.Log) zerolog.Logger {
	out := p.stderr
	if l.Format == "console" || l.Format == "auto" && p.terminal(p.stderr) {
		out = zerolog.ConsoleWriter{Out: p.stderr, TimeFormat: "15:04:05.000", NoColor: !p.styled(p.stderr)}
	}
	return zerolog.New(out).Level(l.Level).With().Timestamp().Logger()
}

func (p *program) health() *cobra.Command {
	c := &cobra.Command{
		Use:    "health",
		Short:  shortHealth,
		Hidden: true, // for a container's health check
		Args:   arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			settings, err := p.load(c, false)
			if err != nil {
				return err
			}
			return localClient(settings).ready(c.Context())
		},
	}
	p.settingFlags(c, "data_dir")
	return c
}

func (p *program) version() *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: shortVersion,
		Args:  arguments(),
		RunE: func(*cobra.Command, []string) error {
			if p.json {
				return p.print(map[string]string{"version": version})
			}
			fmt.Fprintln(p.stdout, sayVersion(version))
			return nil
		},
	}
	c.Flags().BoolVar(&p.json, "json", false, usageJSON)
	return c
}

// version is set by the build.
var version = "development"
