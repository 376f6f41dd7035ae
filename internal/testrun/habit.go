package testrun

import (
	"encoding/json"
	"io/fs"
	"regexp"
	"strings"

	"lander/internal/queue"
)

// Habit proposes a recipe from the files that stand in the root of a repository: how its people already test it. why is one
// sentence with the reason; ok is false when nothing was recognised, and why then says what was looked for. A target that
// people wrote themselves (make test) goes before what a language's tool would do.
func Habit(fsys fs.FS) (recipe queue.Recipe, why string, ok bool) {
	repo := root{fsys}
	for _, h := range habits {
		if recipe, why := h(repo); why != "" {
			return recipe, why, true
		}
	}
	return queue.Recipe{}, sayNoHabit, false
}

type habit func(root) (queue.Recipe, string)

// In order: what a person wrote down as "the tests" first, then the tools, the surest sign first.
var habits = []habit{
	makeHabit, taskHabit, goHabit, cargoHabit, nodeHabit, denoHabit, pythonHabit, elixirHabit,
	gradleHabit, mavenHabit, rubyHabit, phpHabit, dotnetHabit, swiftHabit, cmakeHabit,
}

// root is the top directory of a repository.
type root struct{ fsys fs.FS }

func (t root) text(name string) string {
	body, err := fs.ReadFile(t.fsys, name)
	if err != nil {
		return "" // absent, or of no use here: nothing is proposed from it
	}
	return string(body)
}

// first gives the first of names that is a file.
func (t root) first(names ...string) string {
	for _, name := range names {
		if info, err := fs.Stat(t.fsys, name); err == nil && info.Mode().IsRegular() {
			return name
		}
	}
	return ""
}

func (t root) glob(pattern string) string {
	found, err := fs.Glob(t.fsys, pattern)
	if err != nil || len(found) == 0 {
		return ""
	}
	return found[0]
}

func testBy(command string, setup ...string) queue.Recipe {
	return queue.Recipe{Setup: setup, Steps: []queue.Step{{Name: "test", Run: command}}}
}

// A rule for test: at the start of a line, perhaps among others, not an assignment.
var testTarget = regexp.MustCompile(`(?m)^(?:[^\s:#=]+[ \t]+)*test(?:[ \t]+[^\s:#=]+)*[ \t]*::?(?:[^=:]|$)`)

func makeHabit(t root) (queue.Recipe, string) {
	name := t.first("GNUmakefile", "makefile", "Makefile") // in make's own order
	if name == "" || !testTarget.MatchString(t.text(name)) {
		return queue.Recipe{}, ""
	}
	return testBy("make test"), sayHabitTarget(name)
}

func taskHabit(t root) (queue.Recipe, string) {
	if name := t.first("justfile", "Justfile", ".justfile"); name != "" && justRecipe.MatchString(t.text(name)) {
		return testBy("just test"), sayHabitTarget(name)
	}
	if name := t.first("Taskfile.yml", "Taskfile.yaml"); name != "" && taskEntry.MatchString(t.text(name)) {
		return testBy("task test"), sayHabitTarget(name)
	}
	return queue.Recipe{}, ""
}

var (
	justRecipe = regexp.MustCompile(`(?m)^@?test(?:[ \t]+[^:=\n]*)?:(?:[^=]|$)`)
	taskEntry  = regexp.MustCompile(`(?m)^[ \t]+["']?test["']?:[ \t]*(?:$|[^\s])`)
)

func goHabit(t root) (queue.Recipe, string) {
	if t.first("go.mod") != "" {
		r := testBy("go test -json ./...", "go mod download")
		r.Steps[0].Results.Format = queue.ResultsGo
		return r, sayHabitFile("go.mod")
	}
	return queue.Recipe{}, ""
}

func cargoHabit(t root) (queue.Recipe, string) {
	if t.first("Cargo.toml") == "" {
		return queue.Recipe{}, ""
	}
	if t.first("Cargo.lock") != "" {
		return testBy("cargo test --locked", "cargo fetch --locked"), sayHabitFile("Cargo.toml")
	}
	return testBy("cargo test"), sayHabitFile("Cargo.toml")
}

func nodeHabit(t root) (queue.Recipe, string) {
	var manifest struct {
		Scripts        map[string]string `json:"scripts"`
		PackageManager string            `json:"packageManager"`
	}
	if err := json.Unmarshal([]byte(t.text("package.json")), &manifest); err != nil {
		return queue.Recipe{}, ""
	}
	script := manifest.Scripts["test"]
	if script == "" || strings.Contains(script, "no test specified") { // what npm init writes
		return queue.Recipe{}, ""
	}
	manager, _, _ := strings.Cut(manifest.PackageManager, "@")
	switch {
	case manager == "pnpm" || t.first("pnpm-lock.yaml") != "":
		return testBy("pnpm test", "pnpm install --frozen-lockfile"), sayHabitScript("pnpm")
	case manager == "bun" || t.first("bun.lock", "bun.lockb") != "":
		return testBy("bun run test", "bun install --frozen-lockfile"), sayHabitScript("bun")
	case manager == "yarn" || t.first("yarn.lock") != "":
		if t.first(".yarnrc.yml") != "" { // yarn 2 and later
			return testBy("yarn test", "yarn install --immutable"), sayHabitScript("yarn")
		}
		return testBy("yarn test", "yarn install --frozen-lockfile"), sayHabitScript("yarn")
	case t.first("package-lock.json", "npm-shrinkwrap.json") != "":
		return testBy("npm test", "npm ci"), sayHabitScript("npm")
	}
	return testBy("npm test", "npm install --no-save --no-package-lock"), sayHabitScript("npm")
}

func denoHabit(t root) (queue.Recipe, string) {
	if name := t.first("deno.json", "deno.jsonc"); name != "" {
		return testBy("deno test"), sayHabitFile(name)
	}
	return queue.Recipe{}, ""
}

func pythonHabit(t root) (queue.Recipe, string) {
	project := t.text("pyproject.toml")
	if name := t.first("tox.ini"); name != "" {
		return testBy("tox"), sayHabitFile(name)
	}
	if name := t.first("noxfile.py"); name != "" {
		return testBy("nox"), sayHabitFile(name)
	}
	sign := t.first("pytest.ini", "conftest.py", "tests/conftest.py", "test/conftest.py")
	switch {
	case sign != "":
	case strings.Contains(project, "pytest"):
		sign = "pyproject.toml"
	case strings.Contains(t.text("setup.cfg"), "[tool:pytest]"):
		sign = "setup.cfg"
	default:
		return queue.Recipe{}, ""
	}
	why := sayHabitPytest(sign)
	// A virtual environment outside the checkout: HOME is private to the run.
	const venv = `python3 -m venv "$HOME/venv"`
	const pip = `"$HOME/venv/bin/python" -m pip install -q `
	const pytest = `"$HOME/venv/bin/python" -m pytest`
	switch {
	case t.first("uv.lock") != "":
		return testBy("uv run --frozen pytest"), why
	case t.first("poetry.lock") != "":
		return testBy("poetry run pytest", "poetry install --no-interaction"), why
	case t.first("requirements-dev.txt") != "":
		return testBy(pytest, venv, pip+"-r requirements-dev.txt pytest"), why
	case t.first("requirements.txt") != "":
		return testBy(pytest, venv, pip+"-r requirements.txt pytest"), why
	case project != "" || t.first("setup.py") != "":
		return testBy(pytest, venv, pip+"-e . pytest"), why
	}
	return testBy("python3 -m pytest"), why
}

func elixirHabit(t root) (queue.Recipe, string) {
	if t.first("mix.exs") != "" {
		return testBy("mix test", "mix local.hex --force --if-missing", "mix deps.get"), sayHabitFile("mix.exs")
	}
	return queue.Recipe{}, ""
}

func gradleHabit(t root) (queue.Recipe, string) {
	if t.first("gradlew") != "" {
		return testBy("./gradlew --no-daemon test"), sayHabitFile("gradlew")
	}
	if name := t.first("build.gradle", "build.gradle.kts"); name != "" {
		return testBy("gradle --no-daemon test"), sayHabitFile(name)
	}
	return queue.Recipe{}, ""
}

func mavenHabit(t root) (queue.Recipe, string) {
	if t.first("mvnw") != "" {
		return testBy("./mvnw -B verify"), sayHabitFile("mvnw")
	}
	if t.first("pom.xml") != "" {
		return testBy("mvn -B verify"), sayHabitFile("pom.xml")
	}
	return queue.Recipe{}, ""
}

func rubyHabit(t root) (queue.Recipe, string) {
	if t.first("Gemfile") == "" {
		return queue.Recipe{}, ""
	}
	const install = "bundle install"
	switch {
	case t.first(".rspec", "spec/spec_helper.rb") != "":
		return testBy("bundle exec rspec", install), sayHabitFile(t.first(".rspec", "spec/spec_helper.rb"))
	case t.first("bin/rails") != "":
		return testBy("bin/rails test", install), sayHabitFile("bin/rails")
	case t.first("Rakefile") != "":
		return testBy("bundle exec rake test", install), sayHabitFile("Rakefile")
	}
	return queue.Recipe{}, ""
}

func phpHabit(t root) (queue.Recipe, string) {
	name := t.first("phpunit.xml", "phpunit.xml.dist")
	if name == "" || t.first("composer.json") == "" {
		return queue.Recipe{}, ""
	}
	return testBy("vendor/bin/phpunit", "composer install --no-interaction"), sayHabitFile(name)
}

func dotnetHabit(t root) (queue.Recipe, string) {
	for _, pattern := range []string{"*.sln", "*.slnx"} {
		if name := t.glob(pattern); name != "" {
			return testBy("dotnet test"), sayHabitFile(name)
		}
	}
	return queue.Recipe{}, ""
}

func swiftHabit(t root) (queue.Recipe, string) {
	if t.first("Package.swift") != "" {
		return testBy("swift test"), sayHabitFile("Package.swift")
	}
	return queue.Recipe{}, ""
}

// Only where tests are switched on: without them ctest finds nothing and is content.
func cmakeHabit(t root) (queue.Recipe, string) {
	text := strings.ToLower(t.text("CMakeLists.txt"))
	if !strings.Contains(text, "enable_testing") && !strings.Contains(text, "include(ctest)") {
		return queue.Recipe{}, ""
	}
	return testBy(`ctest --test-dir "$TMPDIR/build" --output-on-failure --no-tests=error`,
		`cmake -S . -B "$TMPDIR/build"`, `cmake --build "$TMPDIR/build" --parallel`), sayHabitFile("CMakeLists.txt")
}
