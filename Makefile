# Everything a developer runs. `make help` lists it. Needs make and Python 3.11 or newer; the rest is set up by itself.

PY := .venv/bin/python
PY313 := .local/envs/py313/bin/python
SAM_ENV := .local/envs/sam/bin
UNIT_TESTS := tests/unit $(wildcard tests/conformance)
FAST_TESTS := $(UNIT_TESTS) $(wildcard tests/faults)
STACK_TESTS := $(wildcard tests/integration tests/e2e)
PROMISES := tests/integration/test_promises.py
# Measured once, where Python 3.13 is there on that: what it costs before 3.12 is as much as the tests themselves.
COVERAGE := --cov --cov-report=term
REGIONS := us-east-1 ap-southeast-1 cn-north-1
# Processes that share the tests must see them in one order; another one each time, so that nothing depends on it.
SEED = PYTHONHASHSEED=$(strip $(shell od -An -N2 -tu2 /dev/urandom))
# Commands of the project's own environments come first, and no telemetry leaves the machine.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
export AWS_EC2_METADATA_DISABLED := true

.DEFAULT_GOAL := help
.PHONY: help setup check fmt lint types template test unit unit-3.13 conformance integration promises up down run demo bench \
	platform events faults dlq lock build build-prod clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9.-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## the environments: .venv, SAM CLI, the local AWS, Python 3.13 if it is there
	@sh tools/setup.sh dev sam emulator py313

# --- checks

check: lint types template ## formatting, lint, types, template

lint:
	@sh tools/setup.sh dev
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .

types:
	@sh tools/setup.sh dev
	$(PY) -m pyright

template:
	@sh tools/setup.sh dev sam
	$(SAM_ENV)/cfn-lint --regions $(REGIONS) -- template.yaml
	$(SAM_ENV)/sam validate --lint --template template.yaml

fmt: ## formats the code and mends what ruff can mend
	@sh tools/setup.sh dev
	$(PY) -m ruff check --fix-only .
	$(PY) -m ruff format .

# --- tests

test: ## all tests: unit and conformance (also on Python 3.13), then the local stack and the page in a browser
	@sh tools/setup.sh dev sam emulator py313
	@$(PY) -m tools.browser --install
	$(SEED) $(PY) -m pytest -q -n auto $(FAST_TESTS) $$([ -x $(PY313) ] || echo $(COVERAGE))
	@$(MAKE) --no-print-directory unit-3.13
	@$(MAKE) --no-print-directory integration

unit: ## unit tests only: seconds
	@sh tools/setup.sh dev
	$(SEED) $(PY) -m pytest -q -n auto tests/unit

# Production runs on Python 3.13; developers' machines often do not.
unit-3.13:
	@sh tools/setup.sh dev py313
	@if [ -x $(PY313) ]; then \
		$(SEED) COVERAGE_CORE=sysmon PATH="$(CURDIR)/$(dir $(PY313)):$$PATH" \
			$(PY313) -m pytest -q -n auto $(UNIT_TESTS) $(COVERAGE); \
	elif $(PY) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))'; then \
		echo "Python 3.13: the tests above ran on it"; \
	else \
		echo "Python 3.13: not found on this machine, so unit and conformance tests did not run on it"; \
	fi

conformance: ## every vector of tests/vectors (or PARLEY_VECTORS) through the deployed code
	@sh tools/setup.sh dev
	@$(PY) -m tools.conformance

integration: ## tests on the local stack, and the page in a headless browser
	@sh tools/setup.sh dev sam emulator
	@$(PY) -m tools.browser --install
	$(PY) -m pytest -v $(STACK_TESTS) --ignore $(PROMISES)

promises: ## the promises on a stack of their own, while calls fail and processes are killed: minutes
	@sh tools/setup.sh dev sam emulator
	$(PY) -m pytest -v -s $(PROMISES)

# --- the local stack

run: ## the local stack in the foreground; Ctrl-C ends it (ARGS=--iam enforces the roles)
	@sh tools/setup.sh dev sam emulator
	@$(PY) -m tools.local run $(ARGS)

up: ## the local stack in the background
	@sh tools/setup.sh dev sam emulator
	@$(PY) -m tools.local up $(ARGS)

down: ## ends the local stack
	@sh tools/setup.sh dev
	@$(PY) -m tools.local down

demo: ## one conversation of every kind through real HTTP, and what must be refused
	@sh tools/setup.sh dev sam emulator
	@$(PY) -m tools.demo $(ARGS)

faults: ## kills workers and breaks calls, and counts what was lost or said twice
	@sh tools/setup.sh dev sam emulator
	@$(PY) -m tools.faults $(ARGS)

bench: ## import times and time per callback, against lark-oapi
	@sh tools/setup.sh dev
	@$(PY) -m tools.bench $(ARGS)

platform: ## writes the files of a new platform: make platform NAME=slack LABEL=Slack
	@sh tools/setup.sh dev
	@$(PY) -m tools.scaffold "$(NAME)" $(if $(LABEL),"$(LABEL)")

events: ## makes the signed sample events of events/ anew
	@sh tools/setup.sh dev
	@$(PY) -m tools.make_events $(ARGS)

dlq: ## looks into the dead-letter queues of the local stack, and sends back: make dlq ARGS="..."
	@sh tools/setup.sh dev
	@$(PY) -m tools.dlq $(ARGS)

# --- building

build: ## sam build for this machine, as the local stack does it
	@sh tools/setup.sh dev sam
	@$(PY) -m tools.local build

build-prod: ## sam build for production, and the transformed template through cfn-lint in every partition
	@sh tools/setup.sh dev sam emulator
	@$(PY) -m tools.transform $(REGIONS)

lock: ## pins every dependency anew
	@sh tools/setup.sh dev lock

clean: ## removes what was built; the environments stay (they are in .venv and .local/envs)
	@if [ -x $(PY) ]; then $(PY) -m tools.local down; fi
	rm -rf .aws-sam .pytest_cache .ruff_cache .hypothesis .local/build .local/prod .local/state .local/coverage
