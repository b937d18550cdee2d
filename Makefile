# make demo      the main job on the packaged sample; says where the report lies
# make test      the quick tests, no system package needed
# make test-all  lint, types and every test; installs Chromium and LibreOffice where it can
# make lint | bench | docs | clean
#
# The first target makes .venv with plain venv and pip; a step is repeated only when
# pyproject.toml or constraints.txt has changed. Another interpreter: make PYTHON=python3.12 demo

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/stamps
GROUPS := test lint build
PIP    := $(BIN)/python -m pip --disable-pip-version-check

.DELETE_ON_ERROR:
.PHONY: demo test test-all lint bench docs clean

demo: $(STAMPS)/core
	$(BIN)/gbi demo

test: $(STAMPS)/test
	$(BIN)/python -m pytest -m "not system and not oracle and not slow"

test-all: lint $(STAMPS)/test $(STAMPS)/build
	.ci/system-packages
	$(BIN)/python -m pytest

lint: $(STAMPS)/test $(STAMPS)/lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMPS)/core
	$(BIN)/python benchmarks/main_job.py
	$(BIN)/python benchmarks/read.py
	$(BIN)/python benchmarks/validate.py
	$(BIN)/python benchmarks/filing.py

docs: $(STAMPS)/core
	$(BIN)/python docs/build.py

clean:
	rm -rf $(VENV) build dist gbi-demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage

$(STAMPS)/venv:
	$(PYTHON) -c 'import sys; sys.exit("gbi needs Python 3.11 or later: make PYTHON=..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade "pip>=25.1"
	mkdir -p $(STAMPS) && touch $@

$(STAMPS)/core: $(STAMPS)/venv pyproject.toml constraints.txt
	$(PIP) install --quiet --constraint constraints.txt --editable .
	touch $@

$(GROUPS:%=$(STAMPS)/%): $(STAMPS)/%: $(STAMPS)/core
	$(PIP) install --quiet --constraint constraints.txt --group $*
	touch $@
