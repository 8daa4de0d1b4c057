# Every wish is one command; `make help` lists them. Needs only Python 3.11+, Node 20+, git and make.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
NODE_TESTS := tests/conformance/node
NODE := $(NODE_TESTS)/node_modules/.installed
CONSOLE_NODE := console/node_modules/.installed
CONSOLE_CLIENT := console/src/api/schema.d.ts
CONSOLE := src/aimesh/console/index.html
CONSOLE_SOURCES := $(shell find console/src console/public console/*.ts console/*.json console/index.html -type f 2>/dev/null)
WORKERS ?= auto
PORT ?= 8080

.PHONY: help setup run console console-check test check lint fmt types rules conformance chaos fuzz soak bench bench-quick bench-compare docs lock clean

help:  ## list the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "aimesh needs Python 3.11 or newer; found $$($(PYTHON) --version). Set PYTHON=python3.x"; exit 1; }
	@echo "creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(RUNTIME): $(VENV)/bin/python requirements/runtime.lock pyproject.toml
	@echo "installing what aimesh needs to run (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(DEV): $(RUNTIME) requirements/dev.lock
	@echo "installing what the tests need (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@

$(NODE): $(NODE_TESTS)/package.json $(NODE_TESTS)/package-lock.json
	@echo "installing the Node SDKs for the tests (once)"
	@cd $(NODE_TESTS) && npm ci --silent --no-audit --no-fund
	@touch $@

$(CONSOLE_NODE): console/package.json console/package-lock.json
	@echo "installing what the console is built with (once)"
	@cd console && npm ci --silent --no-audit --no-fund
	@touch $@

$(CONSOLE_CLIENT): $(CONSOLE_NODE) $(RUNTIME) scripts/write_openapi.py $(wildcard src/aimesh/control/*.py)
	@$(BIN)/python scripts/write_openapi.py console/openapi.json
	@cd console && npm run --silent generate
	@touch $@

$(CONSOLE): $(CONSOLE_CLIENT) $(CONSOLE_SOURCES)
	@echo "building the console"
	@cd console && npm run --silent build -- --logLevel warn

console: $(CONSOLE)  ## build the web console into src/aimesh/console

console-check: $(CONSOLE_CLIENT)  ## the console's types, style and unit tests
	@cd console && npm run --silent types && npm run --silent lint && npm run --silent test

setup: $(DEV) $(NODE) $(CONSOLE_NODE)  ## install everything for development into .venv

run: $(RUNTIME)  ## start aimesh with the provider simulator; prints the address, a key and a curl
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory console || echo "the console could not be built; aimesh starts without it"; \
	  else echo "npm is missing: aimesh starts without its web console (install Node 20 or newer, then: make console)"; fi
	@$(BIN)/aimesh demo --port $(PORT) --samples

test: $(DEV) $(NODE) $(CONSOLE)  ## all tests (short versions of fuzz and soak)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -q

check: lint types console-check test  ## exactly what CI runs

lint: $(DEV)  ## style, banned calls, layers
	@$(BIN)/ruff check src tests bench scripts
	@$(BIN)/ruff format --check src tests bench scripts
	@$(BIN)/lint-imports

fmt: $(DEV)  ## format the code
	@$(BIN)/ruff check --fix-only --quiet src tests bench scripts
	@$(BIN)/ruff format src tests bench scripts

types: $(DEV)  ## mypy --strict over source and tests
	@$(BIN)/mypy

rules: $(DEV)  ## house rules: purity, sizes, names, mirrored tests
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/rules

conformance: $(DEV) $(NODE)  ## official SDKs against a live gateway
	@$(BIN)/python -m pytest -n $(WORKERS) -q -m conformance

chaos: $(DEV)  ## faults, kills and hostile input
	@$(BIN)/python -m pytest -n $(WORKERS) -q -m chaos

fuzz: $(DEV)  ## ten minutes of fuzzing of every parser (SECONDS_TO_RUN=600)
	@AIMESH_FUZZ_SECONDS=$${SECONDS_TO_RUN:-600} $(BIN)/python -m pytest -n $(WORKERS) -q -m long -k fuzz tests

soak: $(DEV)  ## long runs under load, bounded in time
	@$(BIN)/python -m pytest -q -m long -k soak tests

bench: $(DEV)  ## aimesh, nginx and LiteLLM on the same mock upstream; about ten minutes
	@$(BIN)/python -m bench

bench-quick: $(DEV)  ## a rough version of bench, two minutes
	@$(BIN)/python -m bench --quick

bench-compare: $(DEV)  ## CPU per call of the working tree against another commit (REV=HEAD)
	@$(BIN)/python -m bench.compare --rev $${REV:-HEAD}

docs: $(DEV)  ## regenerate the reference pages and schemas
	@$(BIN)/python scripts/generate_reference.py
	@$(BIN)/python scripts/generate_api_pages.py
	@$(BIN)/python scripts/generate_cli_page.py
	@$(BIN)/python scripts/generate_admin_page.py

lock: $(DEV)  ## resolve the dependencies again into requirements/*.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements/runtime.lock
	@$(BIN)/uv pip compile pyproject.toml --group test --group lint --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements/dev.lock

clean:  ## remove what was installed or generated
	@rm -rf $(VENV) build dist src/*.egg-info src/aimesh/console console/node_modules $(NODE_TESTS)/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
