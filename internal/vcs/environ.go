package vcs

import (
	"fmt"
	"os"
	"strings"
)

// settings hold for every git process, above whatever the repository's own configuration says.
// Those about merging are pinned so that every git version makes the same candidate.
var settings = []string{
	"core.hooksPath=/dev/null",
	"core.fsmonitor=false",
	"core.attributesFile=/dev/null",
	"core.excludesFile=/dev/null",
	"core.autocrlf=false",
	"core.symlinks=true",
	"core.fileMode=true",
	"core.ignoreCase=false",
	"core.sparseCheckout=false",
	"core.splitIndex=false",
	"core.untrackedCache=false",
	"core.useReplaceRefs=false",
	"core.warnAmbiguousRefs=false", // full ids only: saves looking for a ref of that name each time
	"safe.bareRepository=explicit",
	"index.version=2",
	"submodule.recurse=false",
	"fetch.recurseSubmodules=false",
	"push.recurseSubmodules=no",
	"push.followTags=false",
	"push.gpgSign=false",
	"gc.auto=0",
	"maintenance.auto=false",
	"merge.renames=true",
	"merge.renameLimit=7000",
	"merge.directoryRenames=conflict",
	"merge.conflictStyle=merge",
	"diff.renames=true",
	"diff.renameLimit=7000",
	"diff.ignoreSubmodules=none",
	"diff.orderFile=/dev/null",
	"protocol.version=2",
	"credential.helper=",
	"transfer.fsckObjects=true",
}

// fsckTolerated are faults that old versions of git and importers left in honest, immutable histories. None of them can
// change what a checkout or a merge does, so refusing them would only lock such repositories out. Everything that can
// (names like .git or .., broken .gitmodules, duplicate or unsorted tree entries) stays an error.
var fsckTolerated = []string{
	"badDate",
	"badDateOverflow",
	"badEmail",
	"badFilemode",
	"badName",
	"badTimezone",
	"missingEmail",
	"missingNameBeforeEmail",
	"missingSpaceBeforeDate",
	"missingSpaceBeforeEmail",
	"missingTaggerEntry",
	"multipleAuthors",
	"zeroPaddedDate",
	"zeroPaddedFilemode",
}

// networkVariables are passed to git only when it talks to the remote.
var networkVariables = []string{
	"http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_PROXY_SSL_CAINFO",
}

// Environ is the whole environment of a git process: built from nothing, so that nothing of the user's or the machine's
// own git configuration takes part. It is exported for rooms that must start git by other means, such as a CGI handler.
func (g Git) Environ() []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=/nonexistent",
		"XDG_CONFIG_HOME=/nonexistent",
		"LC_ALL=C",
		"TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_ATTR_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0",
		"GIT_NO_REPLACE_OBJECTS=1",
		"GIT_OPTIONAL_LOCKS=0",
		"GIT_ALLOW_PROTOCOL=file:http:https",
		"GIT_PAGER=cat",
		"GIT_EDITOR=false",
	}
	if g.Dir != "" {
		env = append(env, "GIT_DIR="+g.Dir)
	}
	if g.WorkTree != "" {
		env = append(env, "GIT_WORK_TREE="+g.WorkTree)
	}
	config := append([]string(nil), settings...)
	for _, id := range fsckTolerated {
		config = append(config, "fetch.fsck."+id+"=ignore", "receive.fsck."+id+"=ignore")
	}
	if g.Hooks != "" {
		config = append(config, "core.hooksPath="+g.Hooks)
	}
	return append(withConfig(env, append(config, g.Config...)), g.Env...)
}

// withConfig hands "key=value" settings to git by the environment, where they outrank every file.
func withConfig(env, config []string) []string {
	for i, setting := range config {
		key, value, _ := strings.Cut(setting, "=")
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, key), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, value))
	}
	return append(env, fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(config)))
}

func networkEnviron() []string {
	var env []string
	for _, name := range networkVariables {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
