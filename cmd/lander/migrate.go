package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"lander/internal/queue"
	"lander/internal/serve"
	"lander/internal/store"
	"lander/internal/store/embedded"
)

func (p *program) migrate() *cobra.Command {
	var rebuild, resume bool
	c := &cobra.Command{
		Use:     "migrate",
		Short:   shortMigrate,
		Long:    longMigrate,
		Example: exampleMigrate,
		Args:    arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			if rebuild {
				return p.rebuild(c, resume)
			}
			if resume {
				return usage(errResumeNothing)
			}
			settings, err := p.load(c, false)
			if err != nil {
				return err
			}
			url := settings.DatabaseURL.Reveal()
			if url == "" {
				pg, err := embedded.Start(c.Context(), embedded.Options{Dir: filepath.Join(settings.DataDir, "postgres"), Durable: true})
				if err != nil {
					return unreachable(err)
				}
				defer func() { _ = pg.Stop() }() // what it would tell, its next start tells
				if err := pg.Ensure(c.Context(), "lander"); err != nil {
					return unreachable(err)
				}
				url = pg.URL("lander")
			}
			if err := store.Migrate(c.Context(), url); err != nil {
				return unreachable(err)
			}
			s, err := store.Open(c.Context(), url, zerolog.Nop())
			if err != nil {
				return unreachable(err)
			}
			defer s.Close()
			have, _, err := s.SchemaVersion(c.Context())
			if err != nil {
				return unreachable(err)
			}
			if p.json {
				return p.print(map[string]int64{"schema": have})
			}
			fmt.Fprintln(p.stdout, saySchema(have))
			return nil
		},
	}
	p.settingFlags(c)
	c.Flags().BoolVar(&rebuild, "rebuild", false, usageRebuild)
	c.Flags().BoolVar(&resume, "resume", false, usageRebuildResume)
	c.Flags().BoolVar(&p.json, "json", false, usageJSON)
	return c
}

// rebuilt is what a lane got back, for --json.
type rebuilt struct {
	Lane     string `json:"lane"`
	Landings int    `json:"landings"`
	Changes  int    `json:"changes"`
	Open     int    `json:"open"`
	Paused   bool   `json:"paused"` // by this rebuild, or before it
}

// rebuild brings back what ledger and forge know.
func (p *program) rebuild(c *cobra.Command, resume bool) error {
	settings, err := p.load(c, true)
	if err != nil {
		return err
	}
	all := []rebuilt{}
	o := serve.Options{Settings: settings, Log: p.logger(settings.Log)}
	err = serve.Rebuild(c.Context(), o, resume, func(l queue.Lane, r serve.Rebuilt) {
		all = append(all, rebuilt{l.String(), r.Landings, r.Changes, r.Open, r.Pause != nil})
		if !p.json {
			fmt.Fprintln(p.stdout, sayRebuilt(l, r.Rebuilt))
			if r.Pause != nil {
				fmt.Fprintln(p.stdout, sayRebuiltPaused(l, r.Pause))
			}
		}
	})
	if p.json {
		err = errors.Join(err, p.print(all))
	}
	var database *serve.DatabaseError
	if errors.As(err, &database) {
		return unreachable(err)
	}
	if err != nil {
		return no(err)
	}
	return nil
}
