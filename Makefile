# The two commands of the README are `make demo` and `make test`; `make help` lists the rest.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
UV := .tools/bin/uv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo test check bench proof product lock reference format clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $$($(PYTHON) --version) was found. Try: make PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -m venv .tools && .tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock

$(STAMP): $(UV) requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

demo: $(STAMP) ## scaffold a real app, put it through the gauntlet, print the verdict
	@$(BIN)/python tools/demo.py

test: $(STAMP) ## lint, types, directions, house rules, and the tests
	@$(MAKE) --no-print-directory check
	@$(BIN)/python -m pytest -n 2 --dist loadgroup --ignore tests/product

check: $(STAMP) ## everything in `test` but the tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache 2>&1 | tail -n 12
	@$(BIN)/python tools/tidy.py
	@$(BIN)/python tools/reference.py
	@$(BIN)/python -m shipworthy.contract.schema
	@$(BIN)/python -m shipworthy.builder.schema

bench: $(STAMP) ## a benchmark: make bench NAME=core
	@$(BIN)/python -m benchmarks.$(subst -,_,$(NAME))

proof: $(STAMP) ## a long proof: make proof NAME=judge
	@$(BIN)/python -m benchmarks.proofs.$(subst -,_,$(NAME))

product: $(STAMP) ## the slow proofs: planted defects, the whole app in a browser, up and down
	@$(BIN)/python -m pytest -n 2 --dist loadgroup tests/product

lock: $(UV) ## resolve the dependencies anew
	@$(UV) pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes --no-annotate --no-header --no-emit-index-url pyproject.toml -o requirements.lock
	@echo "uv==0.13.9" | $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url - -o requirements-uv.lock

reference: $(STAMP) ## write the generated pages of docs/reference
	@$(BIN)/python tools/reference.py --write

format: $(STAMP) ## format and sort
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

clean: ## remove what the commands above made
	@rm -rf $(VENV) .tools report build dist .mypy_cache .ruff_cache .pytest_cache
