//go:build unix

package testrun

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// supervising is a supervisor as lander sees it.
type supervising struct {
	cmd     *exec.Cmd
	control *os.File
	report  *os.File
	exited  chan struct{}
	err     error // of its exit; valid when exited is closed
}

// dismiss ends a supervisor that got no order.
func (s *supervising) dismiss() {
	s.control.Close()
	s.report.Close()
}

// kill is for a supervisor that does not do its work; one that has just ended is as good.
func (s *supervising) kill() { _ = s.cmd.Process.Kill() }

func (s *supervising) exit() string {
	<-s.exited
	if s.err != nil {
		return s.err.Error()
	}
	return "exit status 0"
}

// supervise starts the supervisor, which then waits for its order.
func (a *attempt) supervise(private scratch) (*supervising, error) {
	self, err := selfPath()
	if err != nil {
		return nil, err
	}
	controlRead, control, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer controlRead.Close()
	report, reportWrite, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, control.Close())
	}
	defer reportWrite.Close()

	cmd := &exec.Cmd{
		Path:        self,
		Args:        []string{"lander-run", a.job.ID},
		Env:         []string{superviseKey + "=1"}, // nothing of lander's own, not even here
		Dir:         "/",
		Stderr:      a.transcript.file,
		ExtraFiles:  []*os.File{controlRead, reportWrite, private.lock}, // controlFD, reportFD, lockFD
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if a.caches != nil { // the supervisor has no use for it but to hold it
		cmd.ExtraFiles = append(cmd.ExtraFiles, a.caches.lock)
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, control.Close(), report.Close())
	}
	s := &supervising{cmd: cmd, control: control, report: report, exited: make(chan struct{})}
	log := a.log
	go func() {
		s.err = cmd.Wait()
		if s.err != nil {
			log.Warn().Err(s.err).Msg("supervisor ended")
		}
		// A command that got hold of the report pipe could keep it open for ever; what is in it now is all there is.
		_ = report.SetReadDeadline(time.Now().Add(time.Second)) // fails only when it is closed, and then nobody reads
		close(s.exited)
	}()
	return s, nil
}
