# One command each for what a newcomer and a developer do; `make help` lists them.
#
#   PYTHON   the interpreter to make the environment with (default: python3)
#   VENV     where the environment is (default: .venv)
#   ARGS     further arguments for pytest or the benchmark

PYTHON ?= python3
VENV ?= .venv
ARGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-input
# the requirements of one of the package's extras, without building the package for them again
EXTRA := $(BIN)/python -c 'import sys, tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"][sys.argv[1]], \
	sep="\n")'
# what the compiled module and the installed metadata are made from
SOURCES := pyproject.toml $(shell find ffi -type f -name '*.[chS]' -o -type f -name '*.py')
STOP := ; exit 1; }

##@ Everyone

.PHONY: demo
demo: $(VENV)/.installed ## build and install the package, run examples/nursery.py
	@$(BIN)/python examples/nursery.py

.PHONY: test
test: $(VENV)/.installed $(VENV)/.test ## run the whole suite
	@$(BIN)/python -m pytest $(ARGS)

.PHONY: bench
bench: $(VENV)/.installed $(VENV)/.test ## measure, beside what else there is
	@$(BIN)/python -m tests.bench $(ARGS)

.PHONY: clean
clean: ## remove the environment, what was built, and caches
	@rm -rf -- $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@rm -f -- rsyscall_ns/_ffi*.so rsyscall_ns/stub.elf
	@find . -path ./.git -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^##@/ { print substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

##@ Developers

.PHONY: docs
docs: $(VENV)/.docs ## build the documentation into build/docs; warnings are errors
	@$(BIN)/sphinx-build -q -W docs build/docs && echo "build/docs/index.html"

.PHONY: develop prepare
prepare: $(VENV)/.installed $(VENV)/.test ## make the environment that the tests run in

develop: $(VENV)/.installed $(VENV)/.develop ## make the environment with all tools

# `make --keep-going lint` shows what every tool has to say
.PHONY: lint ruff format mypy basedpyright layers news
lint: ruff format mypy basedpyright layers news ## run every check that runs no code

ruff: $(VENV)/.develop ## ruff, all rules
	@$(BIN)/ruff check .

format: $(VENV)/.develop ## is everything formatted?
	@$(BIN)/ruff format --check .

mypy: $(VENV)/.develop ## mypy, strict
	@$(BIN)/mypy

basedpyright: $(VENV)/.develop ## basedpyright, strict
	@$(BIN)/basedpyright --pythonpath $(BIN)/python

layers: $(VENV)/.develop ## do imports go down the layers only?
	@$(BIN)/lint-imports --no-cache --no-logo

news: $(VENV)/.develop ## do the news fragments make a changelog?
	@$(BIN)/towncrier build --draft

.PHONY: machines
machines: $(VENV)/.installed ## check the C server for x86_64, and for aarch64 under qemu
	@PYTHON=$(BIN)/python tests/aarch64/check.sh

# Environments. The package is installed editable: Python sources are used as they lie here, and
# only a change of SOURCES needs a new build.

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || \
		{ echo "There is no $(PYTHON). Install Python 3.11 or newer (Debian: apt install python3)." >&2 $(STOP)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than 3.11. Name a newer one: make PYTHON=python3.13" >&2 $(STOP)
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) can't make virtual environments (Debian: apt install python3-venv)." >&2 $(STOP)
	@test -f "$$($(PYTHON) -c 'import sysconfig as s; print(s.get_path("include"))')/Python.h" || \
		{ echo "Python's header files are not here (Debian: apt install python3-dev)." >&2 $(STOP)
	@set -- $${CC:-$$($(PYTHON) -c 'import sysconfig as s; print(s.get_config_var("CC") or "cc")')}; \
		command -v "$$1" >/dev/null || \
		{ echo "There is no C compiler $$1 (Debian: apt install gcc libc6-dev, or set CC)." >&2 $(STOP)
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(SOURCES) | $(VENV)/.made
	@echo "Building and installing the package ..."
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/.installed
	@echo "Installing what the tests need ..."
	@$(EXTRA) test | $(INSTALL) --requirement /dev/stdin
	@touch $@

$(VENV)/.docs: pyproject.toml | $(VENV)/.installed
	@echo "Installing what the documentation needs ..."
	@$(EXTRA) docs | $(INSTALL) --requirement /dev/stdin
	@touch $@

$(VENV)/.develop: pyproject.toml | $(VENV)/.test
	@echo "Installing the development tools ..."
	@$(EXTRA) dev | $(INSTALL) --requirement /dev/stdin
	@touch $@
