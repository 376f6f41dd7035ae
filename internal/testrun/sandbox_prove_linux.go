package testrun

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lander/internal/queue"
)

// proofLimit bounds the trial of a sandbox.
const proofLimit = 30 * time.Second

// namespaces are those that a sandbox does not share with this machine.
var namespaces = []string{"user", "pid", "mnt", "net", "ipc", "uts", "cgroup"}

// Prove makes a sandbox and tries it: a run in it sees no process of this machine, no file that it should not see, no network and nothing of
// lander's environment, and can write nowhere but to what is its own. The error is a *MissingError where there can be none.
func Prove(ctx context.Context, o Options) (*Sandbox, error) {
	s := &Sandbox{limits: o.Limits.filled(), network: o.Network}
	if err := s.look(o); err != nil {
		return nil, err
	}
	if err := s.prove(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// proof is what the trial runs. It names on its last line what does not hold.
const proof = `
fail() { echo "$*"; exit 1; }
for ns in $NAMESPACES; do
	name=${ns%%=*}
	test "$(readlink /proc/self/ns/$name)" != "${ns#*=}" || fail "the $name namespace is this machine's"
done
while read -r key value rest; do
	case $key in
	Uid:) test "$value" = "$WANT_UID" || fail "the user is $value" ;;
	CapEff:|CapPrm:|CapAmb:) test "$value" = 0000000000000000 || fail "there are capabilities: $key $value" ;;
	NoNewPrivs:) test "$value" = 1 || fail "privileges can be gained" ;;
	Seccomp:) test "$value" = "$WANT_SECCOMP" || fail "there is no seccomp filter" ;;
	esac
done < /proc/self/status
test ! -e "$CANARY" || fail "files outside can be seen"
for dir in / /etc /usr /dev /proc /sys; do
	! (: > "$dir/lander-was-here") 2> /dev/null || fail "$dir can be written to"
done
for dir in /src /scratch /tmp /dev/shm "$HOME" "$TMPDIR"; do
	(: > "$dir/lander-was-here") || fail "$dir cannot be written to"
done
while read -r name rest; do
	case $name in
	Inter-*|face*|lo:*) ;;
	*) fail "there is a network interface: $name" ;;
	esac
done < /proc/net/dev
! cat /proc/1/environ > /dev/null 2>&1 || fail "the environment of the first process can be read"
for pid in /proc/[0-9]*; do
	test "${pid#/proc/}" -lt 1000 || fail "a process of this machine can be seen"
done
`

// prove runs the proof in the sandbox.
func (s *Sandbox) prove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, proofLimit)
	defer cancel()
	// As a run's own directory, so that what a lander leaves that is killed meanwhile is found by Sweep.
	private, err := makeScratch(os.TempDir())
	if err != nil {
		return fmt.Errorf("prove sandbox: %w", err)
	}
	defer func() { _ = private.remove() }() // if it cannot be: Sweep finds this too
	dir := private.dir
	place := proofPlace(filepath.Join(dir, "checkout"))
	for _, sub := range []string{"checkout", "scratch"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			return fmt.Errorf("prove sandbox: %w", err)
		}
	}
	canary := filepath.Join(dir, "canary")
	if err := os.WriteFile(canary, []byte("secret"), 0o600); err != nil {
		return fmt.Errorf("prove sandbox: %w", err)
	}
	var have []string
	for _, name := range namespaces {
		ns, err := os.Readlink("/proc/self/ns/" + name)
		if err != nil {
			return fmt.Errorf("prove sandbox: %w", err)
		}
		have = append(have, name+"="+ns)
	}
	seccomp := "0"
	if hasFilter {
		seccomp = "2"
	}
	r := &Runner{
		Checkouts: place, Logs: filepath.Join(dir, "logs"), Scratch: filepath.Join(dir, "scratch"), Sandbox: s,
		Env: []string{"NAMESPACES=" + strings.Join(have, " "), "CANARY=" + canary, "WANT_UID=" + insideID, "WANT_SECCOMP=" + seccomp},
	}
	v := r.Run(ctx, Job{
		ID: "proof", Lane: queue.Lane{Repo: "lander/proof", Trunk: "main"}, Recipe: queue.Recipe{Steps: []queue.Step{{Name: "proof", Run: proof}}},
	})
	switch v.Outcome {
	case queue.Green:
		return nil
	case queue.Red:
		return &MissingError{Reason: sayNotProved(strings.Join(v.Tail, "; ")), Mend: s.mend()}
	case queue.Cancelled:
		return fmt.Errorf("prove sandbox: %w", errors.Join(ctx.Err(), errors.New(v.Reason)))
	}
	return &MissingError{Reason: sayNotProved(v.Reason), Mend: s.mend()}
}

func (s *Sandbox) mend() string {
	if s.uid != 0 {
		return sayMendRoot
	}
	return sayMendUsers
}

// ProveOverlay tries whether tool caches in dir, which is made when missing, can be layers that the kernel lays over one another. Where they
// cannot, each run gets a copy of them, and a note says so. Call it before the first Run.
func (s *Sandbox) ProveOverlay(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("prove layers: %w", err)
	}
	dir, err := os.MkdirTemp(dir, "proof-")
	if err != nil {
		return fmt.Errorf("prove layers: %w", err)
	}
	defer func() { _ = removeTree(dir) }()
	try := *s
	try.overlay = true
	reason, err := try.proveOverlay(ctx, dir)
	switch {
	case err != nil:
		return fmt.Errorf("prove layers: %w", err)
	case reason != "":
		s.notes = append(s.notes, sayNoOverlay(reason))
	default:
		s.overlay = true
	}
	return nil
}

// overlayProof is the trial's second run. The first has written, and landed.
const overlayProof = `
test "$(cat /cache/kept)" = kept && test "$(cat /cache/dir/old)" = old
echo changed > /cache/kept
rm /cache/gone
rm -r /cache/dir
mkdir /cache/dir
test -z "$(ls /cache/dir)"
mv /cache/named /cache/dir/renamed
test ! -e /cache/gone
`

// proveOverlay gives the reason why it does not work here; empty: it does.
func (s *Sandbox) proveOverlay(ctx context.Context, dir string) (reason string, err error) {
	ctx, cancel := context.WithTimeout(ctx, proofLimit)
	defer cancel()
	place := proofPlace(filepath.Join(dir, "checkout"))
	for _, sub := range []string{"checkout", "scratch"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			return "", err
		}
	}
	r := &Runner{
		Checkouts: place, Logs: filepath.Join(dir, "logs"), Scratch: filepath.Join(dir, "scratch"), Caches: filepath.Join(dir, "caches"), Sandbox: s,
	}
	lane := queue.Lane{Repo: "lander/proof", Trunk: "main"}
	for i, command := range []string{
		"cd /cache; mkdir dir; echo old > dir/old; for f in kept gone named; do echo $f > $f; done", overlayProof,
		"test \"$(cat /cache/kept)\" = changed && test ! -e /cache/gone && test \"$(ls /cache/dir)\" = renamed",
	} {
		sha := queue.SHA(fmt.Sprint("proof", i))
		v := r.Run(ctx, Job{
			ID: string(sha), Lane: lane, Candidate: sha, Recipe: queue.Recipe{Steps: []queue.Step{{Name: "proof", Run: command}}},
		})
		switch v.Outcome {
		case queue.Green:
		case queue.Cancelled:
			return "", errors.Join(ctx.Err(), errors.New(v.Reason))
		default:
			return strings.Join(append([]string{v.Reason}, v.Tail...), "; "), nil
		}
		if err := r.Landed(lane, sha); err != nil {
			return "", err
		}
	}
	return "", nil
}

// proofPlace gives one directory as every checkout.
type proofPlace string

func (p proofPlace) Checkout(context.Context, queue.SHA) (string, func(), error) {
	return string(p), func() {}, nil
}
