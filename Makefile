# Everything that a user or developer does here. Needs make and a Python of 3.11 or later; see `make help`.

CRASHES ?= 250  # for each of two policies, on SQLite with both kinds of notes and on PostgreSQL
DELIVERIES ?= 200000  # of crash-cluster, for each of two policies
PYTHON ?= python3
PREFIX ?= $(HOME)/.local
INSTALLED := $(abspath $(PREFIX))/share/newsletter
PIP ?=  # another pip than the one that Python brings, such as pip==25.0
FUZZ_SECONDS ?= 1200  # of fuzzing, all targets together
TEST_PROCESSES ?= 4  # they wait a good deal, so there may be more than cores
QUIET := --quiet --disable-pip-version-check
VENV := .venv
BIN := $(VENV)/bin
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
  --no-header --no-emit-index-url --no-emit-find-links --extra uvloop --extra cluster
STAMP := $(VENV)/.installed
NODE_STAMP := tests/node/node_modules/.installed

.PHONY: help setup install uninstall demo test lint types architecture pytest test-long test-workers coverage system wheel bench \
  fuzz crash crash-cluster simulate rehearse lock catalogues settings screenshots clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

# What one process compiles, the next ones need not: thousands of processes are started here.
unexport PYTHONDONTWRITEBYTECODE

# Where Python may write no bytecode, each command that is called by hand would compile the program anew.
setup: $(STAMP)  ## a .venv with the program and its development tools
	$(BIN)/python -m compileall -q newsletter

# The locks are complete, so pip resolves nothing (--no-deps): what was published since cannot break an installation.
$(STAMP): requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip $(QUIET) install --no-deps --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip $(QUIET) install --no-deps --no-build-isolation -e .
	$(BIN)/python -m pip $(QUIET) check
	touch $@

install:  ## the program alone, for its users: into PREFIX/share/newsletter, with PREFIX/bin/newsletter
	$(PYTHON) -m venv --clear $(INSTALLED)
	$(if $(PIP),$(INSTALLED)/bin/python -m pip $(QUIET) install --upgrade $(PIP))
	$(INSTALLED)/bin/python -m pip $(QUIET) install --no-deps --require-hashes -r requirements.lock
	$(INSTALLED)/bin/python -m pip $(QUIET) install --no-deps --no-build-isolation .
	$(INSTALLED)/bin/python -m pip $(QUIET) check
	mkdir -p $(PREFIX)/bin
	ln -sf $(INSTALLED)/bin/newsletter $(PREFIX)/bin/newsletter
	@echo "installed $(PREFIX)/bin/newsletter$(if $(findstring :$(PREFIX)/bin:,:$(PATH):),,; add $(PREFIX)/bin to your PATH)"

uninstall:  ## take it away again; working folders stay
	rm -rf $(INSTALLED) $(PREFIX)/bin/newsletter

demo: setup  ## the main job end to end, with no account and no network: three mails in var/inbox
	$(BIN)/newsletter demo

test: setup system  ## all checks, installing what they need
	$(MAKE) --no-print-directory --jobs=2 lint types architecture
	$(MAKE) --no-print-directory --jobs=2 pytest wheel

lint: setup  ## ruff: rules and format; and nothing that only tests use
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python .ci/unused.py

types: setup  ## mypy --strict over code, tests and benches
	$(BIN)/mypy

architecture: setup  ## imports run one way
	$(BIN)/lint-imports

pytest: setup $(NODE_STAMP)  ## the tests
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist worksteal

test-long: setup $(NODE_STAMP)  ## all tests, those that take long too, with more examples and more kills
	HYPOTHESIS_PROFILE=long CRASHES=25 NEWSLETTER_TEST_HISTORIES=200 $(BIN)/pytest -n $(TEST_PROCESSES) --dist worksteal -m ""

test-workers: setup  ## the tests from end to end, on PostgreSQL with two workers that deliver
	TEST_BY_WORKERS=1 $(BIN)/pytest -n 2 --dist worksteal tests/e2e

coverage: setup $(NODE_STAMP)  ## the tests with branch coverage, which takes them twice as long
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n $(TEST_PROCESSES) --dist worksteal
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

system:  ## PostgreSQL, Chromium, Postfix … through apt where that is possible
	.ci/system

$(NODE_STAMP): tests/node/package.json tests/node/package-lock.json
	.ci/node tests/node

wheel: setup  ## what README says, followed in an empty environment up to the first mail; then the built wheel
	.ci/wheel $(BIN)/python

bench: setup  ## speed beside others, as ratios within one run
	for script in bench/*.py; do $(BIN)/python $$script || exit 1; done

fuzz: setup  ## inputs made by chance for all that reads what strangers send, for FUZZ_SECONDS
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

crash: setup  ## kill processes at work 2,000 times, and count who got what
	CRASHES=$(CRASHES) $(BIN)/pytest tests/delivery/test_killed.py tests/delivery/test_killed_closing.py -k "many_kills or kills_at_any_point" -q -s

crash-cluster: setup  ## kill, stop and crash four workers and their database while they deliver to 200,000
	$(BIN)/python bench/crash_cluster.py --deliveries $(DELIVERIES)

simulate: setup  ## a year with a clock that flies, and ten minutes of serve under watch
	$(BIN)/python -m tests.simulation
	$(BIN)/python -m tests.simulation.soak

lock: setup  ## pin the newest dependencies, by hash and without addresses
	$(COMPILE) --upgrade --group dev pyproject.toml -o requirements-dev.lock
	$(COMPILE) --group build --constraint requirements-dev.lock pyproject.toml -o requirements.lock

rehearse: setup  ## the workflow of GitHub Actions over a fortnight, with late, double and lost runs
	$(BIN)/python -m tests.rehearsal

catalogues: setup  ## take texts that are new into the catalogues of all languages, and of a new one: LANGUAGE=it
	LANGUAGE="$(LANGUAGE)" .ci/catalogues $(BIN)

settings: setup  ## docs/settings.md and what the workflow passes on, made anew of what the program takes
	$(BIN)/python -m tests.settings.document
	$(BIN)/python -m tests.scaffold.workflow_settings

screenshots: setup $(NODE_STAMP)  ## docs/images, made anew
	$(BIN)/python -m tests.browser.screenshots

clean:  ## what was made, but for var/
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* \
	  tests/node/node_modules bench/node/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
