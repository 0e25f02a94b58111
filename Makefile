# All commands for developers; `make help` lists them. They need make and Python 3.11 or newer, and install the rest.

PY := .venv/bin/python
PARLEY := $(PY) -m parley_cli
PY313 := .local/envs/py313/bin/python
SAM_ENV := .local/envs/sam/bin
CONTRACT_ENV := .local/envs/contract/bin
BOT := $(or $(PARLEY_BOT),mybot)
# Also after `make run BOT=examples/operations`: the tools read it from the environment.
export PARLEY_BOT := $(BOT)
UNIT_TESTS := tests/unit $(wildcard tests/conformance)
FAULTS_TESTS := $(wildcard tests/faults)
FAST_LOG := .local/logs/fast-tests.log
EXAMPLES := $(wildcard examples/*)
STACK_TESTS := $(wildcard tests/integration)
PAGE_TESTS := $(wildcard tests/e2e)
# It needs a browser, and no stack.
WEBCHAT := tests/e2e/webchat
PROMISES := tests/integration/test_promises.py
SCAFFOLD := tests/integration/test_scaffold.py
STACKS_OF_EXAMPLES := tests/integration/test_examples.py
# Each starts a stack of its own that enforces the roles.
ROLES := $(addprefix tests/integration/test_,least_privilege.py reminders.py sending.py)
# The clients of the HTTP channel and of Discord's Gateway: uploads, sockets, connectors, and the API from its document.
CHANNELS := $(addprefix tests/integration/test_,http_media.py openapi.py sockets.py tcp_connector.py discord_gateway.py)
# Coverage is measured once, on Python 3.13 if it is installed. Before 3.12 it takes as long as the tests themselves.
COVERAGE := --cov --cov-report=term
REGIONS := us-east-1 ap-southeast-1 cn-north-1
# A worker that is done takes over tests of another one.
PARALLEL := -n auto --dist worksteal
# All test processes of a run have the same hash seed. It differs between runs: no test may depend on the order of sets.
HASH_SEED = PYTHONHASHSEED=$(strip $(shell od -An -N2 -tu2 /dev/urandom))
# The commands of .venv come first. SAM sends no telemetry.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
export AWS_EC2_METADATA_DISABLED := true

.DEFAULT_GOAL := help
.PHONY: help setup check fmt lint types template openapi test test-bot test-faults test-page test-channels test-roles test-scaffold test-examples unit unit-3.13 conformance integration promises up down run \
	demo bench bench-stack bench-text load scale intents add remove platform events faults logs send dlq forget tenants lock build build-prod clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9.-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install the environments: .venv, SAM CLI, the local AWS, the tests of the API, Python 3.13 if it is available
	@sh tools/setup.sh dev sam emulator contract py313

# --- checks

check: lint types template openapi ## check formatting, lint, types, the template and docs/openapi.yaml

lint:
	@sh tools/setup.sh dev
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .

types:
	@sh tools/setup.sh dev
	$(PY) -m pyright

template:
	@sh tools/setup.sh dev sam
	$(SAM_ENV)/cfn-lint --regions $(REGIONS) -- template.yaml stacks/*.yaml
	$(SAM_ENV)/sam validate --lint --template template.yaml

openapi:
	@sh tools/setup.sh dev contract
	$(CONTRACT_ENV)/openapi-spec-validator docs/openapi.yaml

fmt: ## format the code and apply the fixes of ruff
	@sh tools/setup.sh dev
	$(PY) -m ruff check --fix-only .
	$(PY) -m ruff format .

# --- tests

test: ## run the tests, also those on the local stack (seven minutes on two cores)
	@sh tools/setup.sh dev sam emulator contract
	@$(MAKE) --no-print-directory test-bot
	@for bot in $(EXAMPLES); do $(MAKE) --no-print-directory test-bot BOT=$$bot || exit 1; done
	@$(MAKE) --no-print-directory -j 2 test-fast integration

# The tests on the stack often wait. The fast tests use the processor then, and leave it to them otherwise. They print
# their results at the end, because the others print theirs meanwhile.
.PHONY: test-fast
test-fast:
	@mkdir -p $(dir $(FAST_LOG))
	$(HASH_SEED) nice -n 5 $(PY) -m pytest -q $(PARALLEL) $(UNIT_TESTS) \
		$$([ -x $(PY313) ] || echo $(COVERAGE)) >$(FAST_LOG) 2>&1; status=$$?; cat $(FAST_LOG); exit $$status

# The bot's folder is the only one on the import path. A warning of one of its packages is no error.
test-bot: ## run the tests of your bot
	@sh tools/setup.sh dev
	$(if $(wildcard $(BOT)/tests/test_*.py),$(PY) -m pytest -q -o "pythonpath=$(BOT)" -W default $(BOT)/tests,@echo "$(BOT)/tests: no tests")

unit: ## run the unit tests
	@sh tools/setup.sh dev
	$(HASH_SEED) $(PY) -m pytest -q $(PARALLEL) tests/unit

# Production runs on Python 3.13. Many developers' machines do not have it.
unit-3.13: ## run the unit tests on Python 3.13, if it is installed
	@sh tools/setup.sh dev py313
	@if [ -x $(PY313) ]; then \
		$(HASH_SEED) COVERAGE_CORE=sysmon PATH="$(CURDIR)/$(dir $(PY313)):$$PATH" \
			$(PY313) -m pytest -q $(PARALLEL) $(UNIT_TESTS) $(COVERAGE); \
	elif $(PY) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))'; then \
		echo "Python 3.13: \`make test\` runs on it."; \
	else \
		echo "Python 3.13: not found on this machine. Unit and conformance tests did not run on it."; \
	fi

conformance: ## run the test vectors of tests/vectors (or PARLEY_VECTORS) through the deployed code
	@sh tools/setup.sh dev
	@$(PY) -m tools.conformance

test-scaffold: ## write a new platform and run the tests on it (minutes)
	@sh tools/setup.sh dev sam
	$(PY) -m pytest -v $(SCAFFOLD)

integration: ## run the tests on the local stack
	@sh tools/setup.sh dev sam emulator contract
	$(PY) -m pytest -v $(STACK_TESTS) $(addprefix --ignore ,$(PROMISES) $(SCAFFOLD) $(STACKS_OF_EXAMPLES) $(ROLES) $(CHANNELS))

test-page: ## run the tests of the page in a headless browser (minutes)
	@sh tools/setup.sh dev sam emulator
	@$(PY) -m tools.browser --install
	$(PY) -m pytest -v $(PAGE_TESTS) --ignore $(WEBCHAT)
	$(PY) -m pytest -q -n auto $(WEBCHAT)

test-faults: ## run the tests of the faults suite: each command with every single fault (minutes)
	@sh tools/setup.sh dev
	$(HASH_SEED) nice -n 5 $(PY) -m pytest -q $(PARALLEL) $(FAULTS_TESTS)

test-channels: ## run the tests of uploads, sockets and connectors on stacks of their own (minutes)
	@sh tools/setup.sh dev sam emulator contract
	$(PY) -m pytest -v $(CHANNELS)

test-roles: ## run the tests on stacks that enforce the roles of the functions (minutes)
	@sh tools/setup.sh dev sam emulator
	$(PY) -m pytest -v $(ROLES)

test-examples: ## run each example on a stack of its own, on every platform (minutes)
	@sh tools/setup.sh dev sam emulator
	$(PY) -m pytest -v $(STACKS_OF_EXAMPLES)

# CI runs these two at a time: tests on stacks often wait. The others use the processor then, and leave it to them
# otherwise. With a fixed seed a new failure comes from the change; the other seed is new, and printed to repeat it.
.PHONY: test-stacks test-seeds test-others
test-stacks:
	@for each in test-channels test-roles promises test-scaffold; do $(MAKE) --no-print-directory $$each || exit 1; done

test-seeds:
	@$(MAKE) --no-print-directory test-faults
	@nice -n 5 $(MAKE) --no-print-directory faults N=1000

test-others:
	@nice -n 5 $(MAKE) --no-print-directory unit-3.13
	@nice -n 5 $(MAKE) --no-print-directory faults N=1000 SEED=1

promises: ## test the promises on a stack of their own while calls fail and processes are killed (minutes)
	@sh tools/setup.sh dev sam emulator
	$(PY) -m pytest -v -s $(PROMISES)

# --- the local stack

run: ## run the local stack in the foreground; Ctrl-C stops it (ARGS=--iam enforces the roles)
	@sh tools/setup.sh dev sam emulator
	@$(PY) -m tools.local run $(ARGS)

up: ## start the local stack in the background
	@sh tools/setup.sh dev sam emulator
	@$(PY) -m tools.local up $(ARGS)

down: ## stop the local stack
	@sh tools/setup.sh dev
	@$(PY) -m tools.local down

demo: ## run conversations and attacks over HTTP on a local stack with the bot of the tests
	@sh tools/setup.sh dev sam emulator
	@$(PY) -m tools.demo $(ARGS)

faults: ## inject crashes and failed calls, and count lost and duplicate replies (SEED=7, N=1000)
	@sh tools/setup.sh dev
	@$(PY) -m tools.faults $(ARGS)

bench: ## measure cold starts and callbacks, compared with other SDKs (ARGS=--write writes docs/benchmarks.md)
	@sh tools/setup.sh dev
	@$(PY) -m tools.bench $(ARGS)

bench-stack: ## measure whole messages on a stack of its own, delivered at once and through the queue (minutes)
	@sh tools/setup.sh dev sam emulator
	@$(PY) -m tools.bench.stack $(ARGS)

scale: ## let 1,000 messages a second arrive in virtual time, and compare with docs/scale.md
	@sh tools/setup.sh dev
	@$(PY) -m tools.scale --try $(ARGS)

load: ## let messages arrive at a steady rate on a stack of its own (ARGS="--rate 10 --seconds 30")
	@sh tools/setup.sh dev sam emulator
	@$(PY) -m tools.bench.load $(ARGS)

bench-text: ## measure the time to the first text of a model's answer on a stack of its own (minutes)
	@sh tools/setup.sh dev sam emulator
	@$(PY) -m tools.bench.growing $(ARGS)

intents: ## measure how well intents are found, compared with other ways (ARGS=--write writes docs/intents.md)
	@sh tools/setup.sh dev intents
	@PYTHONPATH=shared .local/envs/intents/bin/python -m tools.intents $(ARGS)

add: ## pin a package for your bot: make add PACKAGE=rapidfuzz; without PACKAGE, pin its packages again
	@sh tools/setup.sh dev
	@$(PY) -m tools.packages add "$(PACKAGE)"
	@sh tools/setup.sh dev

remove: ## remove a package of your bot: make remove PACKAGE=rapidfuzz
	@sh tools/setup.sh dev
	@$(PY) -m tools.packages remove "$(PACKAGE)"
	@sh tools/setup.sh dev

platform: ## write the files of a new platform: make platform NAME=slack LABEL=Slack
	@sh tools/setup.sh dev
	@$(PY) -m tools.scaffold "$(NAME)" $(if $(LABEL),"$(LABEL)")

events: ## write the sample events in events/, signed for the current time
	@sh tools/setup.sh dev
	@$(PY) -m tools.make_events $(ARGS)

logs: ## show the logs of all functions: make logs ARGS="--follow om_7f3a"
	@sh tools/setup.sh dev
	@$(PARLEY) tail $(ARGS)

send: ## send a text or an AWS event: make send ARGS='feishu/demo "Hi" --room oc_1' or ARGS="--event FILE"
	@sh tools/setup.sh dev
	@$(PY) -m tools.send $(ARGS)

dlq: ## list dead letters and send them back: make dlq ARGS="send ID"
	@sh tools/setup.sh dev
	@$(PARLEY) dlq $(or $(ARGS),list)

forget: ## remove what is stored on a person: make forget PLATFORM=feishu APP=helper PERSON=ou_91c2
	@sh tools/setup.sh dev
	@$(PARLEY) forget "$(PLATFORM)/$(APP)" "$(PERSON)" $(ARGS)

tenants: ## list the organisations that installed an app: make tenants APP=helper (PLATFORM=feishu, ARGS="--delete ID", ARGS=--compare)
	@sh tools/setup.sh dev
	@$(PARLEY) tenants "$(or $(PLATFORM),wecom)/$(APP)" $(ARGS)

# --- building

build: ## build the functions and layers for this machine
	@sh tools/setup.sh dev sam
	@$(PY) -m tools.local build

build-prod: ## build for production, and check the transformed template for three regions
	@sh tools/setup.sh dev sam emulator
	@$(PY) -m tools.transform $(REGIONS)

lock: ## pin the newest versions of all dependencies
	@sh tools/setup.sh dev lock

clean: ## stop the local stack and delete all build results; the environments remain
	@if [ -x $(PY) ]; then $(PY) -m tools.local down; fi
	rm -rf .aws-sam .pytest_cache .ruff_cache .hypothesis .local/build .local/prod .local/state .local/coverage .local/apps.json
