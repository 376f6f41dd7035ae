package main

import (
	"fmt"
	"path/filepath"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"lander/internal/store"
	"lander/internal/store/embedded"
)

func (p *program) migrate() *cobra.Command {
	c := &cobra.Command{
		Use:   "migrate",
		Short: shortMigrate,
		Args:  arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
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
	p.settingFlags(c, "data_dir", "database_url")
	c.Flags().BoolVar(&p.json, "json", false, usageJSON)
	return c
}
