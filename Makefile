# Two commands do everything: `make demo` and `make test`. Both set up what they need in .venv and nowhere else.
PY ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests wait for processes and servers of their own: two workers for each core keep it busy.
PYTEST_WORKERS ?= $(shell $(PY) -c "import os; print(2 * (os.cpu_count() or 1))")

.PHONY: help demo test check lint types features bench simulate mutants docs docs-check schema migrations-check lock image fuzz audit-deps clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

$(VENV)/bin/python:
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "mahnbridge needs Python 3.11 or newer; name it with make PY=python3.12"; exit 2; }
	@$(PY) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian and Ubuntu install python3-venv"; exit 2; }

PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

$(VENV)/.run-stamp: requirements.txt requirements-build.txt pyproject.toml | $(VENV)/bin/python
	$(PIP_INSTALL) --require-hashes -r requirements.txt -r requirements-build.txt
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev-stamp: requirements-dev.txt requirements-build.txt pyproject.toml | $(VENV)/bin/python
	$(PIP_INSTALL) --require-hashes -r requirements-dev.txt -r requirements-build.txt
	$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.run-stamp

demo: $(VENV)/.run-stamp ## the main job end to end against bundled sandboxes, with everything it needs
	$(BIN)/mahnbridge demo

test: $(VENV)/.dev-stamp ## all tests, on SQLite and a really started PostgreSQL
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist loadgroup

check: lint types docs-check features ## everything that must hold besides the tests

lint: $(VENV)/.dev-stamp ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev-stamp ## mypy, strict
	$(BIN)/mypy

docs: $(VENV)/.dev-stamp ## write the generated parts of docs/*.md
	$(BIN)/python -m tests.docs.reference

docs-check: $(VENV)/.dev-stamp ## every command, option, key, metric and error code is documented; the schema is current
	$(BIN)/python -m pytest -q tests/docs

features: $(VENV)/.dev-stamp ## which rows of the feature list are proven by a test, and which are not
	$(BIN)/python -m tests.features

bench: $(VENV)/.dev-stamp ## the figures: counts first, times only as ratios within one run
	$(BIN)/python -m tests.bench

simulate: $(VENV)/.dev-stamp ## 10,000 seeded histories under fire: duplicates, wrong and lost reminders, kills by border (FIRST=0 COUNT=10000 PARTS=folder)
	$(BIN)/python -m tests.faults --first $(or $(FIRST),0) --count $(or $(COUNT),10000) $(if $(PARTS),--parts $(PARTS))

mutants: $(VENV)/.dev-stamp ## small mistakes made on purpose in policy and delivery, and which of them no unit test notices (COUNT=400 SEED=1 MODULES=...)
	$(BIN)/python -m tests.mutants --count $(or $(COUNT),0) --seed $(or $(SEED),1) $(MODULES)

fuzz: $(VENV)/.dev-stamp ## 1,000,000 changed inputs over all parsers of foreign data: counts, and how to feed what broke one again (COUNT=1000000 KEEP=folder, to go on after a break)
	$(BIN)/python -m tests.fuzz --count $(or $(COUNT),1000000) $(if $(KEEP),--keep $(KEEP))

audit-deps: $(VENV)/bin/python ## known vulnerabilities of the pinned dependencies, with pip-audit; says loudly where that cannot be told
	@$(BIN)/python -m tests.audit_deps

schema: $(VENV)/.dev-stamp ## write docs/bridge.schema.json from the configuration models
	$(BIN)/mahnbridge config schema > docs/bridge.schema.json

LOCK := uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock"

lock: ## renew the pinned sets with hashes (needs uv on the path)
	$(LOCK) pyproject.toml --output-file requirements.txt
	$(LOCK) pyproject.toml --group dev --constraint requirements.txt --output-file requirements-dev.txt
	$(LOCK) --group build --output-file requirements-build.txt
	$(LOCK) --group audit --output-file requirements-audit.txt

image: ## build the container image (docker, or ENGINE=podman / buildah)
	$(or $(ENGINE),docker) build --format docker -t mahnbridge:local . 2>/dev/null || $(or $(ENGINE),docker) build -t mahnbridge:local .

clean: ## remove everything that make has made
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
