# Short names for the commands of a working day. All they do is call tools you can call yourself.
.DEFAULT_GOAL := help
BIN ?= .venv/bin
SERVICES := ingest detector recognizer emotion gateway model-server trainer
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

.PHONY: help setup up demo check test unit integration e2e bench lock numbers

help: ## Show this list
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: ## Install everything that running and testing need
	bin/mien setup

up: ## Run everything on this machine
	bin/mien up

demo: ## Run everything, with demo cameras
	bin/mien demo

check: ## Lint, format, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: ## All checks and all tests
	bin/mien test

unit: ## Quick tests without a network
	$(BIN)/pytest tests/unit

integration: ## Tests with one real neighbour at a time
	$(BIN)/pytest tests/integration

e2e: ## Tests of the whole stack, with a browser
	$(BIN)/pytest tests/e2e

bench: ## Measure and write docs/measurements
	bin/mien bench

numbers: ## Write the measured figures into README and docs
	$(BIN)/python -m mien.bench.numbers

lock: ## Resolve pyproject.toml into requirements/*.lock
	$(LOCK) pyproject.toml --extra dev -o requirements/dev.lock
	$(LOCK) pyproject.toml --extra local -c requirements/dev.lock --no-annotate -o requirements/run.lock
	for service in $(SERVICES); do \
	  $(LOCK) pyproject.toml --extra $$service -c requirements/dev.lock --no-annotate -o requirements/$$service.lock || exit 1; \
	done
	$(LOCK) requirements/node.in --no-annotate -o requirements/node.lock
	for peer in $(wildcard requirements/peers/*.in); do \
	  $(LOCK) $$peer $$(test ! -f $${peer%.in}.overrides || echo --override $${peer%.in}.overrides) --no-annotate -o $${peer%.in}.lock || exit 1; \
	done
