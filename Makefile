# Each target works alone on a fresh clone and is quick the second time.
# PYTHON: the interpreter that makes .venv (3.11 or newer).
# EXTRAS: what `make test` installs beside the core. Without torch: make test EXTRAS=dev,postgres
PYTHON ?= python3
EXTRAS ?= dev,postgres,models,twin
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: setup demo test lint bench chaos clean

setup: $(VENV)/.core

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed, $$($(PYTHON) --version) found: make setup PYTHON=python3.11" >&2; exit 1; }
	@echo "Making $(VENV) …" >&2
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "python3-venv is missing: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.core: pyproject.toml | $(VENV)/bin/python
	@echo "Installing the core (about 660 MB) …" >&2
	@$(PIP) --editable .
	@touch $@

$(VENV)/.test-$(EXTRAS): pyproject.toml constraints.txt | $(VENV)/.core
	@echo "Installing what the tests need: $(EXTRAS) (several GB with models) …" >&2
	@$(PIP) --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

demo: $(VENV)/.core
	@$(BIN)/brimwatch demo $(ARGS)

test: $(VENV)/.test-$(EXTRAS)
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.test-$(EXTRAS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

chaos: $(VENV)/.test-$(EXTRAS)
	$(BIN)/python -m pytest tests/faults tests/e2e tests/store -k "killed or kill or crash" $(ARGS)

bench: $(VENV)/.test-$(EXTRAS)
	$(BIN)/python benchmarks/one_point.py $(ARGS)
	$(BIN)/python benchmarks/service.py $(ARGS)
	$(BIN)/python benchmarks/storage.py
	$(BIN)/python benchmarks/first_event.py $(ARGS)

clean:
	rm -rf $(VENV)
