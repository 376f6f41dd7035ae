package vcs

import (
	"context"
	"errors"
	"fmt"

	"lander/internal/queue"
)

// Plant puts a record into the mirror that was sealed elsewhere, or before the mirror was lost. A text that is not the object of that
// name is refused.
func (r *Repo) Plant(ctx context.Context, sealed queue.Sealed) error {
	if err := r.plant(ctx, sealed); err != nil {
		return fmt.Errorf("plant record %s: %w", sealed.SHA.Short(), err)
	}
	return nil
}

func (r *Repo) plant(ctx context.Context, sealed queue.Sealed) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := full(sealed.SHA); err != nil {
		return err
	}
	if objectID("commit", []byte(sealed.Text), len(sealed.SHA)) != sealed.SHA {
		return errors.New("its text was changed since it was sealed")
	}
	return r.keepRecord(sealed)
}

// keepRecord writes a record, and the empty tree that all records share.
func (r *Repo) keepRecord(sealed queue.Sealed) error {
	format := len(sealed.SHA)
	if err := r.writeLoose(string(emptyTree(format)), object("tree", nil)); err != nil {
		return err
	}
	return r.writeLoose(string(sealed.SHA), object("commit", []byte(sealed.Text)))
}
