# make run    environment, model and daemon, from nothing
# make test   everything CI checks, from nothing

PYTHON ?= $(shell for python in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
VENV := .venv
BIN := $(VENV)/bin
EXTRAS := demo,discord,telegram,web
# A change of what is asked for installs again; anything else starts at once.
READY := $(VENV)/.ready-$(shell cksum < pyproject.toml | cut -d' ' -f1)
READY_DEV := $(READY)-dev

.DEFAULT_GOAL := help
.PHONY: help run test lint types contracts unit bench fuzz rebuild clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

run: $(READY)
	@$(BIN)/hearthbot run

test: $(READY_DEV)
	@$(MAKE) --no-print-directory lint types contracts unit

lint: $(READY_DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY_DEV)
	$(BIN)/mypy

contracts: $(READY_DEV)
	$(BIN)/lint-imports

# Clients of the API; where there is no npm, their tests say that they are skipped.
NPM := tests/adapters/web/npm
$(NPM)/node_modules/.ready: $(NPM)/package-lock.json
	@if command -v npm >/dev/null; then npm ci --silent --no-audit --no-fund --prefix $(NPM) && touch $@; fi

unit: $(READY_DEV) $(NPM)/node_modules/.ready
	$(BIN)/pytest --cov --cov-report=term

# make bench      measure against llama-server and llama_cpp.server; ARGS="together --runs 1" for a part of it
bench: $(READY)-bench
	$(BIN)/python -m benchmarks $(ARGS)

# make fuzz       throw coverage-guided rubbish at every parser; ARGS="yaml http --seconds 600" for a part of it
fuzz: $(READY_DEV)
	@$(BIN)/pip install --disable-pip-version-check --progress-bar off --group fuzz $(quiet_pip)
	$(BIN)/python -m tests.fuzz $(ARGS)

# make rebuild    compile llama.cpp again, for another CPU or with CMAKE_ARGS for a GPU
rebuild: $(READY)
	$(BIN)/pip install --force-reinstall --no-cache-dir --no-deps "$$($(BIN)/pip freeze | grep -i '^llama.cpp.python==')"

# make clean      remove the environment
clean:
	rm -rf $(VENV)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "hearthbot needs Python 3.11 or newer. Debian, Ubuntu: sudo apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python cannot make environments. Debian, Ubuntu: sudo apt install python3-venv"; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'

$(READY): $(BIN)/python
	@{ command -v "$${CC:-cc}" && command -v "$${CXX:-c++}"; } >/dev/null || { echo "$(no_compiler)"; exit 1; }
	@echo "Installing into $(VENV). llama.cpp is compiled for this machine: that takes 3 to 15 minutes, once."
	@$(BIN)/pip install --disable-pip-version-check --progress-bar off --editable '.[$(EXTRAS)]' $(quiet_pip)
	@touch $@

$(READY_DEV): $(READY)
	@$(BIN)/pip install --disable-pip-version-check --progress-bar off --group dev $(quiet_pip)
	@touch $@

$(READY)-bench: $(READY)
	@$(BIN)/pip install --disable-pip-version-check --progress-bar off --group bench $(quiet_pip)
	@touch $@

no_compiler := No C/C++ compiler. Debian, Ubuntu: sudo apt install build-essential; Fedora: sudo dnf install gcc-c++; Arch: sudo pacman -S base-devel
# Requirements that are there already are not worth a line each; everything that takes time is.
quiet_pip := | sed -u '/^Requirement already satisfied/d'
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
