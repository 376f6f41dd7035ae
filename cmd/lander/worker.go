package main

import (
	"errors"

	"github.com/spf13/cobra"

	"lander/internal/config"
	"lander/internal/serve"
	"lander/internal/store/errands"
)

// ofWorkers are the settings that a worker has. Those by which it could push are not among its flags; as variables they are refused.
var ofWorkers = []string{
	"database_url", "data_dir", "forge_url", "git_remote", "read_token", "worker_name", "workers", "run_labels", "run_env", "sandbox", "run_network",
	"run_read", "run_limits.memory", "run_limits.pids", "run_limits.disk", "run_limits.files", "run_limits.output", "log.format", "log.level",
}

func (p *program) worker() *cobra.Command {
	c := &cobra.Command{
		Use:     "worker",
		Short:   shortWorker,
		Long:    longWorker,
		Example: exampleWorker,
		Args:    arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			settings, err := p.loadAs(c, config.Source{Working: true})
			if err != nil {
				return err
			}
			log := p.logger(settings.Log)
			for name, meant := range p.misspelt() {
				log.Warn().Msg(sayMisspelt(name, meant))
			}
			w, err := serve.StartWorker(c.Context(), serve.WorkerOptions{Settings: settings, Version: version, Log: log})
			if err != nil {
				return workerFailure(err)
			}
			defer w.Close()
			log.Info().Str("worker", w.Name()).Int("slots", w.Slots()).Strs("labels", settings.RunLabels).Str("version", version).Msg("worker is up")
			if err := w.Run(c.Context()); err != nil {
				return workerFailure(err)
			}
			log.Info().Msg("worker is going down")
			return nil
		},
	}
	p.settingFlags(c, ofWorkers...)
	return c
}

func workerFailure(err error) error {
	var away *serve.DatabaseError
	var taken *errands.TakenError
	switch {
	case errors.As(err, &taken):
		return no(errWorkerName(taken.Name))
	case errors.As(err, &away):
		return unreachable(err)
	}
	return no(err)
}
