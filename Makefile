# `make run` shows lorsync at work on an example; `make test` is what must pass.
#
# Both make their own .venv from the project's files and need nothing but Python 3.11 or newer.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
# The newest Python on this machine beside PYTHON; the tests run on both.
NEWEST ?= $(shell tools/newest-python)
VENV := .venv
BIN := $(VENV)/bin
STATE := .run
PIP_QUIET := --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run dev quick test test-long lint bench docs dist clean

help:  ## Say what can be made.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/'

$(VENV)/.run: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP_QUIET) --editable '.[local]'
	@touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.run
	$(BIN)/python -m pip install $(PIP_QUIET) --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install $(PIP_QUIET) --no-compile --group lint --group dist
	@touch $@

$(VENV)/.test: pyproject.toml $(VENV)/.dev
	$(BIN)/python -m pip install $(PIP_QUIET) --group test
	@touch $@

dev: $(VENV)/.test  ## Put into .venv what single tests need: .venv/bin/pytest tests/unit/core

quick: $(VENV)/.test  ## The unit tests that take no server and no patience, for who changes one rule.
	$(BIN)/python -m pytest -q -n auto -m 'not long and not slow and not root' tests/unit

run: $(VENV)/.run  ## Run the daemon on config.example.toml, with a calendar of its own.
	@exec $(BIN)/lorsync --config config.example.toml --state-dir $(STATE) run

lint: $(VENV)/.dev  ## Check style, types and the direction of imports.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: lint  ## Lint, then run all tests against the installed wheel, on the oldest and newest Python.
	tools/test-wheel $(BIN)/python $(PYTHON) $(NEWEST)

test-long: lint  ## The same with the long runs: minutes instead of seconds.
	LORSYNC_TEST_MARKS='long or not long' tools/test-wheel $(BIN)/python $(PYTHON)

$(VENV)/.bench: pyproject.toml $(VENV)/.dev
	$(BIN)/python -m pip install $(PIP_QUIET) --group bench
	@touch $@

bench: $(VENV)/.bench  ## Measure what is promised; BENCH=--compare, beside vdirsyncer and caldav.
	$(BIN)/python -m benchmarks $(BENCH)

docs: $(VENV)/.dev  ## Make what is made of the source: manual page, config tables, picture.
	$(BIN)/python -m lorsync.cli.manpage >docs/lorsync.1
	tools/renew-config-tables $(BIN)/python
	$(BIN)/python tools/draw_layers.py >docs/layers.svg

# The time that everything in an archive bears: of the last commit, so that others build the same bytes.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1577836800)

dist: $(VENV)/.dev  ## Build wheel and sdist into dist/, and check them.
	rm -rf dist
	SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) $(BIN)/python -m build --outdir dist
	$(BIN)/python -m twine check --strict dist/*

clean:  ## Remove what was made here.
	rm -rf $(VENV) .test-venvs build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
