package testrun

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"lander/internal/queue"
)

// passed lists the variables that a command may have from lander's own environment: how to reach the world, and where
// toolchains are. None of them is a secret by its nature; see secret for the ones that carry one all the same.
var passed = []string{
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS",
	"GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOPROXY", "GOPRIVATE", "GOFLAGS", "GOTOOLCHAIN", "GOROOT",
	"NPM_CONFIG_REGISTRY", "npm_config_registry", "PIP_INDEX_URL", "UV_INDEX_URL",
	"RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "JAVA_HOME", "ANDROID_HOME", "PYENV_ROOT", "NVM_DIR", "ASDF_DATA_DIR", "DOTNET_ROOT",
	"TZ",
}

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// environ is the whole environment of job's commands. caches is the lane's directory, scratch the run's.
func environ(job Job, caches, scratch string, extra []string, own func(string) (string, bool)) ([]string, error) {
	vars := map[string]string{"PATH": defaultPath}
	for _, name := range append([]string{"PATH"}, passed...) {
		if value, ok := own(name); ok && value != "" && !secret(value) {
			vars[name] = value
		}
	}
	if home, ok := own("HOME"); ok && vars["RUSTUP_HOME"] == "" {
		// rustup's cargo looks for its toolchains in HOME, which is another one here.
		if dir := filepath.Join(home, ".rustup"); isDir(dir) {
			vars["RUSTUP_HOME"] = dir
		}
	}
	vars["LANG"] = "C.UTF-8"
	vars["XDG_CACHE_HOME"] = filepath.Join(caches, "xdg") // Go's build cache, pip, ccache, ... follow it
	vars["GOMODCACHE"] = filepath.Join(caches, "go-mod")
	vars["npm_config_cache"] = filepath.Join(caches, "npm")
	vars["npm_config_store_dir"] = filepath.Join(caches, "pnpm")
	vars["YARN_CACHE_FOLDER"] = filepath.Join(caches, "yarn")
	vars["CARGO_HOME"] = filepath.Join(caches, "cargo")
	vars["GRADLE_USER_HOME"] = filepath.Join(caches, "gradle")

	for _, entry := range extra {
		name, value, given := strings.Cut(entry, "=")
		if name == "" || strings.HasPrefix(name, "LANDER_") || strings.ContainsRune(entry, 0) {
			return nil, fmt.Errorf("environment entry %q: want NAME or NAME=VALUE, and no name that begins with LANDER_", name)
		}
		if !given {
			if value, given = own(name); !given {
				continue
			}
		}
		vars[name] = value
	}
	vars["CI"] = "true"
	for name, value := range job.Recipe.Env {
		if !queue.EnvName(name) || strings.ContainsRune(value, 0) {
			return nil, fmt.Errorf("environment of the recipe: %q cannot be set by it", name)
		}
		vars[name] = value
	}

	vars["HOME"] = filepath.Join(scratch, "home")
	vars["TMPDIR"] = filepath.Join(scratch, "tmp")
	vars[scratchKey] = scratch
	vars["LANDER_RUN"] = job.ID
	vars["LANDER_LANE"] = job.Lane.String()
	vars["LANDER_REPOSITORY"] = job.Lane.Repo
	vars["LANDER_TRUNK"] = job.Lane.Trunk
	vars["LANDER_CANDIDATE"] = string(job.Candidate)
	vars["LANDER_BASE"] = string(job.Base)
	numbers := make([]string, len(job.Members))
	for i, n := range job.Members {
		numbers[i] = strconv.Itoa(int(n))
	}
	vars["LANDER_MEMBERS"] = strings.Join(numbers, " ")

	env := make([]string, 0, len(vars))
	for name, value := range vars {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env, nil
}

// withoutProxies leaves out how lander reaches the network. A sandbox has a way of its own.
func withoutProxies(env []string) []string {
	return slices.DeleteFunc(env, func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return strings.HasSuffix(strings.ToUpper(name), "_PROXY")
	})
}

// secret reports an address with a password in it, as a proxy or a package index may have. GOPROXY and NO_PROXY are lists.
func secret(value string) bool {
	for _, part := range strings.FieldsFunc(value, func(c rune) bool { return c == ',' || c == '|' || c == ' ' }) {
		// Without a scheme ("user:word@proxy:3128") tools take it for an address as well.
		at := strings.Contains(part, "@")
		if u, err := url.Parse(part); at && (err != nil || u.User != nil || u.Host == "") {
			return true
		}
	}
	return false
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
