package testrun

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestHabit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		files map[string]string
		setup []string
		step  string // empty: nothing is proposed
		why   string
	}{
		{"nothing", map[string]string{"README.md": "make test"}, nil, "", "nothing here says"},
		{"go", map[string]string{"go.mod": "module x"}, []string{"go mod download"}, "go test -json ./...", "go.mod"},
		{"make before go", map[string]string{"go.mod": "module x", "Makefile": "all: build\n\ntest: all\n\tgo test\n"}, nil, "make test", "Makefile has a target named test"},
		{"make among other targets", map[string]string{"Makefile": "check test lint:\n\ttrue\n"}, nil, "make test", "Makefile"},
		{"make with two colons", map[string]string{"GNUmakefile": "test::\n\ttrue\n"}, nil, "make test", "GNUmakefile"},
		{"make without a rule of its own", map[string]string{"Makefile": ".PHONY: test\ntest := 1\ntest:= 1\ntests:\n\techo test:\n# test:\nlatest:\n"}, nil, "", ""},
		{"just", map[string]string{"justfile": "test *args:\n  cargo test\n", "Cargo.toml": ""}, nil, "just test", "justfile"},
		{"just without", map[string]string{"justfile": "test := '1'\n"}, nil, "", ""},
		{"task", map[string]string{"Taskfile.yml": "tasks:\n  test:\n    cmds: [x]\n"}, nil, "task test", "Taskfile.yml"},
		{"npm", map[string]string{"package.json": `{"scripts":{"test":"jest"}}`, "package-lock.json": "{}"}, []string{"npm ci"}, "npm test", "npm"},
		{"npm without a lock", map[string]string{"package.json": `{"scripts":{"test":"jest"}}`}, []string{"npm install --no-save --no-package-lock"}, "npm test", "npm"},
		{"npm as npm init leaves it", map[string]string{"package.json": `{"scripts":{"test":"echo \"Error: no test specified\" && exit 1"}}`}, nil, "", ""},
		{"npm with no scripts", map[string]string{"package.json": `{}`}, nil, "", ""},
		{"npm broken", map[string]string{"package.json": `{`}, nil, "", ""},
		{"pnpm", map[string]string{"package.json": `{"scripts":{"test":"x"}}`, "pnpm-lock.yaml": ""}, []string{"pnpm install --frozen-lockfile"}, "pnpm test", "pnpm"},
		{"pnpm by name", map[string]string{"package.json": `{"scripts":{"test":"x"},"packageManager":"pnpm@9.1.0"}`}, []string{"pnpm install --frozen-lockfile"}, "pnpm test", "pnpm"},
		{"yarn 1", map[string]string{"package.json": `{"scripts":{"test":"x"}}`, "yarn.lock": ""}, []string{"yarn install --frozen-lockfile"}, "yarn test", "yarn"},
		{"yarn 4", map[string]string{"package.json": `{"scripts":{"test":"x"}}`, "yarn.lock": "", ".yarnrc.yml": ""}, []string{"yarn install --immutable"}, "yarn test", "yarn"},
		{"bun", map[string]string{"package.json": `{"scripts":{"test":"x"}}`, "bun.lock": ""}, []string{"bun install --frozen-lockfile"}, "bun run test", "bun"},
		{"deno", map[string]string{"deno.json": "{}"}, nil, "deno test", "deno.json"},
		{"cargo", map[string]string{"Cargo.toml": ""}, nil, "cargo test", "Cargo.toml"},
		{"cargo with a lock", map[string]string{"Cargo.toml": "", "Cargo.lock": ""}, []string{"cargo fetch --locked"}, "cargo test --locked", "Cargo.toml"},
		{"pytest by uv", map[string]string{"pyproject.toml": "[tool.pytest.ini_options]", "uv.lock": ""}, nil, "uv run --frozen pytest", "pyproject.toml says that it is tested with pytest"},
		{"pytest by poetry", map[string]string{"pyproject.toml": "pytest = '*'", "poetry.lock": ""}, []string{"poetry install --no-interaction"}, "poetry run pytest", "pytest"},
		{"pytest by pip", map[string]string{"pytest.ini": "", "requirements.txt": ""}, []string{`python3 -m venv "$HOME/venv"`, `"$HOME/venv/bin/python" -m pip install -q -r requirements.txt pytest`}, `"$HOME/venv/bin/python" -m pytest`, "pytest.ini"},
		{"pytest bare", map[string]string{"tests/conftest.py": ""}, nil, "python3 -m pytest", "tests/conftest.py"},
		{"python without tests", map[string]string{"pyproject.toml": "[project]", "setup.cfg": ""}, nil, "", ""},
		{"tox", map[string]string{"pyproject.toml": "pytest", "tox.ini": ""}, nil, "tox", "tox.ini"},
		{"nox", map[string]string{"noxfile.py": ""}, nil, "nox", "noxfile.py"},
		{"mix", map[string]string{"mix.exs": ""}, []string{"mix local.hex --force --if-missing", "mix deps.get"}, "mix test", "mix.exs"},
		{"gradle wrapper", map[string]string{"gradlew": "", "build.gradle": ""}, nil, "./gradlew --no-daemon test", "gradlew"},
		{"gradle", map[string]string{"build.gradle.kts": ""}, nil, "gradle --no-daemon test", "build.gradle.kts"},
		{"maven wrapper", map[string]string{"mvnw": "", "pom.xml": ""}, nil, "./mvnw -B verify", "mvnw"},
		{"maven", map[string]string{"pom.xml": ""}, nil, "mvn -B verify", "pom.xml"},
		{"rspec", map[string]string{"Gemfile": "", ".rspec": ""}, []string{"bundle install"}, "bundle exec rspec", ".rspec"},
		{"rails", map[string]string{"Gemfile": "", "bin/rails": "", "Rakefile": ""}, []string{"bundle install"}, "bin/rails test", "bin/rails"},
		{"rake", map[string]string{"Gemfile": "", "Rakefile": ""}, []string{"bundle install"}, "bundle exec rake test", "Rakefile"},
		{"phpunit", map[string]string{"composer.json": "{}", "phpunit.xml.dist": ""}, []string{"composer install --no-interaction"}, "vendor/bin/phpunit", "phpunit.xml.dist"},
		{"dotnet", map[string]string{"App.sln": ""}, nil, "dotnet test", "App.sln"},
		{"swift", map[string]string{"Package.swift": ""}, nil, "swift test", "Package.swift"},
		{"cmake", map[string]string{"CMakeLists.txt": "enable_testing()"}, []string{`cmake -S . -B "$TMPDIR/build"`, `cmake --build "$TMPDIR/build" --parallel`}, `ctest --test-dir "$TMPDIR/build" --output-on-failure --no-tests=error`, "CMakeLists.txt"},
		{"cmake without tests", map[string]string{"CMakeLists.txt": "project(x)"}, nil, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			repo := fstest.MapFS{"src": {Mode: fs.ModeDir | 0o755}}
			for name, text := range c.files {
				repo[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
			}
			recipe, why, ok := Habit(repo)
			if ok != (c.step != "") || ok == recipe.Empty() || !strings.Contains(why, c.why) || why == "" {
				t.Fatalf("%+v, %q, %v", recipe, why, ok)
			}
			if !ok {
				return
			}
			if len(recipe.Steps) != 1 || recipe.Steps[0].Run != c.step || !slices.Equal(recipe.Setup, c.setup) {
				t.Errorf("%+v", recipe)
			}
		})
	}
}
