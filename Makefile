# Rivus from a clean clone: `make run` opens the control room, `make test` runs the tests. `make help` lists the rest.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup run test check format fuzz keys screenshots faults faults-fast soak wheel sbom audit schema bench judge lock clean

PYTHON := .venv/bin/python
INSTALLED := .venv/.installed
# pip compiles what it installs, but not what is installed editable; without this, a machine that writes no bytecode by
# itself (PYTHONDONTWRITEBYTECODE) would compile the whole program at every start.
COMPILE := $(PYTHON) -m compileall -q engine plugins rivus_tui
PIP := $(PYTHON) -m pip --disable-pip-version-check install --quiet

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## create .venv and install what requirements.lock names (nothing to do if unchanged)

# The stamp is written last, so an installation that was interrupted starts again.
$(INSTALLED): requirements.lock pyproject.toml
	@if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	  for name in python3.14 python3.13 python3.12 python3.11 python3; do \
	    if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$name; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "Rivus needs Python 3.11 or newer, and none was found: install one and run make again." >&2; exit 1; \
	  fi; \
	  echo "setup: creating .venv with $$($$found --version)"; \
	  rm -rf .venv; \
	  if ! "$$found" -m venv .venv; then \
	    rm -rf .venv; \
	    echo "$$found cannot create virtual environments: install its venv package (Debian: python3-venv)." >&2; exit 1; \
	  fi; \
	fi
	@echo "setup: installing the packages of requirements.lock into .venv; the first time takes a minute or two"
	@$(PIP) --require-hashes -r requirements.lock
	@echo "setup: installing Rivus itself, editable"
	@$(PIP) --no-deps --no-build-isolation -e .
	@$(COMPILE)
	@touch $@
	@echo "setup: done"

run: setup ## open the control room on this project
	@$(COMPILE)
	@.venv/bin/rivus --trust

test: setup ## run the tests, on every core
	@$(PYTHON) -m pytest -n logical --dist worksteal

check: setup ## format, lint, types, floors
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest -q tests/architecture

format: setup ## format the code and sort the imports
	$(PYTHON) -m ruff check --fix-only .
	$(PYTHON) -m ruff format .

keys: setup ## write the table of keys in README.md anew
	@$(PYTHON) -c 'from rivus_tui.cli.keys import write_readme; write_readme()'

fuzz: setup ## show 200 nasty texts on every screen
	@RIVUS_FUZZ=200 $(PYTHON) -m pytest -q tests/tui/test_text_safety.py

screenshots: setup ## draw the pictures in screenshots/ anew
	@RIVUS_UPDATE_PICTURES=1 $(PYTHON) -m pytest -q tests/tui -k picture

faults: setup ## measure every promise under faults, whole, on every core (about an hour)
	@$(PYTHON) -m tests.faults --deep

faults-fast: setup ## the same with few cases, as the tests run it
	@$(PYTHON) -m tests.faults

soak: setup ## leave an engine running for long, and look at what grows
	@$(PYTHON) -m tests.faults --deep R14

wheel: setup ## build the wheel twice, and make sure that both are the same
	@$(PYTHON) -m tests.faults --deep S10
	@SOURCE_DATE_EPOCH=1767225600 $(PYTHON) -m hatchling build -t wheel -d dist

sbom: setup ## write dist/sbom.json: what is installed, as CycloneDX
	@mkdir -p dist
	@$(PYTHON) -c 'from tests.faults.goals.supply import sbom; print(sbom())' > dist/sbom.json

audit: setup ## look for known weaknesses in the locked packages (needs the network; offline it says skip)
	@if $(PYTHON) -c 'import socket; socket.create_connection(("pypi.org", 443), 3)' 2>/dev/null 	  && command -v pip-audit >/dev/null; then 	  pip-audit --require-hashes --disable-pip -r requirements.lock; 	else 	  echo "skip: no network, or pip-audit is not installed (it is run outside the project: pipx install pip-audit)"; 	fi

schema: setup ## write engine/store/schema.sql anew from the migrations
	@$(PYTHON) -c 'import sqlite3; from engine.store import migrate; c = sqlite3.connect(":memory:", isolation_level=None); \
	  [migrate._apply(c, m) for m in migrate.migrations()]; print(migrate.schema(c), end="")' > engine/store/schema.sql

bench: setup ## measure speed and memory
	@$(PYTHON) -m benchmarks

judge: setup ## measure how well TODO scanning and the doctor judge
	@$(PYTHON) -m benchmarks.judge

lock: setup ## resolve pyproject.toml anew into requirements.lock (needs uv)
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-emit-index-url --no-emit-find-links --no-annotate --extra dev --group build --output-file requirements.lock pyproject.toml

clean: ## remove .venv, caches and build results
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
