# What a developer or a user of a fresh clone types. `make help` explains the targets; each says so
# in the `##` comment on its line. Continuous integration calls the same ones.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Prerequisites are listed in the order in which they must be done.
.NOTPARALLEL:

# The lab, and so the tests and the benchmarks that use it, needs root.
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

.PHONY: help setup demo test test-all check fix bench lock clean prerequisites prerequisites-for-tests

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

setup: .venv/.ready ## Make .venv with everything a developer needs, and .venv/bin/freehold

# Nothing to do as long as the locks and the project's metadata stay as they were.
.venv/.ready: requirements-dev.lock pyproject.toml scripts/setup
	@scripts/setup

demo: prerequisites setup ## Install what is needed, start the lab and bring up the example estate in it
	@scripts/demo

test: prerequisites-for-tests setup ## Build the wheel and run the tests on it, with a real Incus in the lab (root or sudo)
	@scripts/test-wheel

test-all: prerequisites-for-tests setup ## The same with the slow tests
	@scripts/test-wheel -m ""

check: setup ## Lint, format, types, layers, shell scripts, host names; changes nothing
	@scripts/check

fix: setup ## Mend what ruff can mend, and format
	@.venv/bin/ruff check --fix-only --quiet
	@.venv/bin/ruff format --quiet

bench: prerequisites setup ## Run every benchmark on this machine (root or sudo)
	@for benchmark in config_load plan_scale incus_apply firewall provision snapshots compose; do \
		echo "== $$benchmark"; \
		$(SUDO) env PYTHONDONTWRITEBYTECODE=1 .venv/bin/python "benchmarks/$$benchmark.py"; \
	done

lock: ## Renew both lock files from pyproject.toml (needs uv)
	@scripts/lock

clean: ## Remove what the other targets made here: .venv, build, caches
	@rm -rf -- .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find src tests benchmarks -name __pycache__ -prune -exec rm -rf -- {} + 2>/dev/null || true

prerequisites:
	@scripts/prerequisites

prerequisites-for-tests:
	@scripts/prerequisites --tests
