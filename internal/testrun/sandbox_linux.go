package testrun

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// usualMemory leaves a quarter of this machine's to others.
func usualMemory() int64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 4 << 30
	}
	return int64(info.Totalram) * int64(info.Unit) / 4 * 3
}

// uidOfRuns is where the numbers of users begin that systemd and others leave alone. It is the commands' user where lander is root.
const uidOfRuns = 0x70000000

// look finds what a sandbox here is made of. Prove then tries it.
func (s *Sandbox) look(o Options) error {
	path, err := exec.LookPath(cmp.Or(o.Bwrap, "bwrap"))
	if err != nil {
		return &MissingError{Reason: sayNoBwrap, Mend: sayMendBwrap}
	}
	if s.bwrap, err = filepath.Abs(path); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		if s.uid, err = freeUser(); err != nil {
			return err
		}
	}
	s.links = map[string]string{}
	for _, dir := range []string{"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"} {
		if to, err := os.Readlink(dir); err == nil {
			s.links[dir] = to
		} else if isDir(dir) {
			s.system = append(s.system, bind{From: dir, To: dir})
		}
	}
	for _, dir := range []string{"/usr", "/etc", "/opt", "/nix/store", "/gnu/store", "/run/current-system", "/sys/devices/system"} {
		if isDir(dir) {
			s.system = append(s.system, bind{From: dir, To: dir})
		}
	}
	own := o.LookupEnv
	if own == nil {
		own = os.LookupEnv
	}
	for _, path := range append(toolchains(own), o.Read...) {
		s.show(path, slices.Contains(o.Read, path), o.Hide)
	}
	s.system = slices.DeleteFunc(s.system, func(b bind) bool { // what another shows anyway
		return slices.ContainsFunc(s.system, func(o bind) bool { return o.To != b.To && o.From == o.To && b.From == b.To && within(b.To, o.To) })
	})
	hide := o.Hide
	if s.uid == 0 { // another user has no more rights than everybody
		hide = append(private("/etc"), hide...)
	}
	for _, path := range hide {
		real, err := filepath.EvalSymlinks(path)
		if err == nil && slices.ContainsFunc(s.system, func(b bind) bool { return within(real, b.From) }) {
			s.hidden = append(s.hidden, real)
		}
	}
	s.named = append(registries(own), o.Named...)
	s.proxies = proxiesOf(own)
	s.tasks = countsTasks()
	if s.group = findGroup(); s.group == "" {
		s.notes = append(s.notes, sayNoGroup)
	}
	if !hasFilter {
		s.notes = append(s.notes, sayNoFilter)
	}
	if landlocked() == 0 {
		s.notes = append(s.notes, sayNoLandlock)
	}
	if !s.tasks {
		s.notes = append(s.notes, sayNoTasks)
	}
	return nil
}

// freeUser is a number that no account of this machine has. In a container root may have been given few.
func freeUser() (int, error) {
	text, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return 0, err
	}
	last := 0
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) != 3 {
			continue
		}
		first, size := atoi(fields[0]), atoi(fields[2])
		if first <= uidOfRuns && uidOfRuns < first+size {
			return uidOfRuns, nil
		}
		last = max(last, first+size-1)
	}
	if last < 2 {
		return 0, &MissingError{Reason: sayOnlyRoot, Mend: sayMendOnlyRoot}
	}
	return last, nil
}

// show adds something that test runs may read, unless they see it anyway, or it would show what is hidden.
func (s *Sandbox) show(path string, asked bool, hide []string) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil || !filepath.IsAbs(path) {
		return
	}
	home, _ := os.UserHomeDir() // without one there is none to show
	taken := []string{"/", "/proc", "/dev", "/sys", "/tmp", "/run", "/var", "/home", "/root", insideCheckout, insideScratch, insideCache}
	if !asked && (slices.Contains(taken, real) || home != "" && within(home, real)) || real == "/" {
		return
	}
	for _, h := range hide {
		if within(h, real) && !asked {
			return
		}
	}
	for _, at := range []string{path, real} {
		if !slices.ContainsFunc(s.system, func(b bind) bool { return within(at, b.To) }) && !s.linked(at) {
			s.system = append(s.system, bind{From: real, To: at, Reach: true})
		}
	}
}

// linked reports a path that leads through a link of the root directory, as /bin does.
func (s *Sandbox) linked(path string) bool {
	for link := range s.links {
		if within(path, link) {
			return true
		}
	}
	return false
}

// toolchains are the places that lander's own environment names as such.
func toolchains(own func(string) (string, bool)) []string {
	var paths []string
	if path, ok := own("PATH"); ok {
		paths = filepath.SplitList(path)
	}
	for _, name := range []string{
		"GOROOT", "RUSTUP_HOME", "JAVA_HOME", "ANDROID_HOME", "PYENV_ROOT", "NVM_DIR", "ASDF_DATA_DIR", "DOTNET_ROOT",
		"SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS",
	} {
		if value, ok := own(name); ok && value != "" {
			paths = append(paths, filepath.SplitList(value)...)
		}
	}
	if home, ok := own("HOME"); ok {
		paths = append(paths, filepath.Join(home, ".rustup"))
	}
	return paths
}

// registries are the addresses, as host:port, of package indexes that lander's own environment names: an operator who names one on this
// machine means it.
func registries(own func(string) (string, bool)) []string {
	var found []string
	for _, name := range []string{"GOPROXY", "GOSUMDB", "NPM_CONFIG_REGISTRY", "npm_config_registry", "PIP_INDEX_URL", "UV_INDEX_URL"} {
		value, _ := own(name)
		for _, part := range strings.FieldsFunc(value, func(c rune) bool { return c == ',' || c == '|' || c == ' ' }) {
			u, err := url.Parse(part)
			if err != nil || u.Host == "" {
				continue
			}
			port := u.Port()
			if port == "" {
				port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
			}
			found = append(found, u.Hostname()+":"+port)
		}
	}
	return found
}

// private lists what is below dir and is for lander's user to read, but not for everybody: in a sandbox it would be.
func private(dir string) []string {
	var found []string
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, _ error) error { // where lander cannot look, its user cannot in there
		if entry == nil || entry.Type()&fs.ModeSymlink != 0 || unix.Access(path, unix.R_OK) != nil {
			return nil //nolint:nilerr // that lander may not read it is the good case
		}
		everybody := fs.FileMode(0o004)
		if entry.IsDir() {
			everybody = 0o005
		}
		if info, err := entry.Info(); err == nil && info.Mode().Perm()&everybody != everybody {
			found = append(found, path)
			if entry.IsDir() {
				return fs.SkipDir
			}
		}
		return nil
	})
	return found
}

// countsTasks reports whether RLIMIT_NPROC counts within a user namespace, as it does since Linux 5.14.
func countsTasks() bool {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return false
	}
	major, rest, _ := strings.Cut(unix.ByteSliceToString(u.Release[:]), ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, err1 := strconv.Atoi(major)
	b, err2 := strconv.Atoi(strings.TrimRight(minor, "-+abcdefghijklmnopqrstuvwxyz"))
	return err1 == nil && err2 == nil && (a > 5 || a == 5 && b >= 14)
}

// box is the sandbox of one run. dir is its checkout, caches what it sees of its lane's; nil: the run has its own.
func (s *Sandbox) box(dir, scratch string, caches *runCaches) (*box, error) {
	b := &box{
		Bwrap: s.bwrap, UID: s.uid, Binds: slices.Clone(s.system), Links: s.links, Hidden: s.hidden, Limits: s.limits,
		Named: s.named, Proxies: s.proxies, Tasks: s.tasks, Group: s.group,
	}
	b.Binds = append(b.Binds,
		bind{From: dir, To: insideCheckout, Write: true, Own: true}, bind{From: scratch, To: insideScratch, Write: true, Own: true})
	if caches != nil {
		b.Binds = append(b.Binds, caches.bind())
	}
	stores, err := alternates(dir)
	if err != nil {
		return nil, err
	}
	for _, store := range stores {
		b.Binds = append(b.Binds, bind{From: store, To: store, Own: true})
	}
	return b, nil
}

// alternates are the object stores that the checkout's own refers to. The checkout is clean: lander wrote it, and nobody else yet.
func alternates(dir string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(dir, ".git", "objects", "info", "alternates"))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read alternates: %w", err)
	}
	var stores []string
	for line := range strings.Lines(string(text)) {
		if store := strings.TrimSpace(line); filepath.IsAbs(store) {
			stores = append(stores, store)
		}
	}
	return stores, nil
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
