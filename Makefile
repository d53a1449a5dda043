# Every command of the developer loop. `make run` and `make test` each work as the only command on a fresh clone:
# what they need is set up on the way, and nothing is done twice (stack/bootstrap.sh).
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON := .venv/bin/python
# Tests draw without a display. Set QT_QPA_PLATFORM=xcb to watch them.
TEST := QT_QPA_PLATFORM=$${QT_QPA_PLATFORM:-offscreen} $(PYTHON) -m pytest
# More arguments for the program that a target starts: make run ARGS="--port-offset 4000"
ARGS ?=

.PHONY: help
help: ## What there is to type
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- using it

.PHONY: setup
setup: ## Install what run and test need (both do it by themselves)
	@bash stack/bootstrap.sh dev

.PHONY: setup-run
setup-run:
	@bash stack/bootstrap.sh run

.PHONY: setup-bench
setup-bench:
	@bash stack/bootstrap.sh bench

.PHONY: setup-swarm
setup-swarm:
	@bash stack/bootstrap.sh swarm

.PHONY: build
build: setup-run ## Fetch the JVM artifacts, compile the fast embedded database where cargo is there
	@$(PYTHON) -m stack build $(ARGS)

.PHONY: run
run: setup-run ## Deploy the system on this machine and open the monitor
	@$(PYTHON) -m desktop --deploy $(ARGS)

.PHONY: clean
clean: ## Take the system down and remove what was installed and built; data stay
	@if [[ -x $(PYTHON) ]]; then \
	  $(PYTHON) -m stack down || echo "The system could not be taken down; see above. Removing what was built all the same." >&2; \
	  $(PYTHON) -m stack.cache clear || true; \
	fi
	@rm -rf .venv .setup-lock build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- working on it

.PHONY: test
test: setup ## Every test; the real system is started on shifted ports
	@$(TEST) $(ARGS)

.PHONY: test-unit
test-unit: setup ## The tests that start nothing
	@$(TEST) tests/unit tests/gui tests/contract $(ARGS)

# One round where MINUTES is 0.
MINUTES ?= 0
.PHONY: fuzz
fuzz: setup ## Generated inputs, 1 000 for each test and call: make fuzz MINUTES=60
	@$(PYTHON) -m tests.fuzz --minutes $(MINUTES) $(ARGS)

.PHONY: test-newer
test-newer: setup ## The unit and GUI tests on Python 3.13 or 3.12, where the machine has one
	@bash tests/newer_python.sh

.PHONY: test-integration
test-integration: setup ## The tests against the real system
	@$(TEST) tests/integration tests/e2e $(ARGS)

.PHONY: test-swarm
test-swarm: setup-swarm ## The tests of the Swarm stack; they start a Docker engine of their own and need root
	@# The first test waits for images and the whole stack: no dump of threads before that is a hang.
	@$(TEST) tests/swarm -o faulthandler_timeout=2400 $(ARGS)

.PHONY: test-cluster
test-cluster: need-root setup-swarm ## The tests of several nodes: three Docker engines in network namespaces; need root
	@$(TEST) tests/cluster -o faulthandler_timeout=1800 $(ARGS)

.PHONY: need-root
need-root:
	@[[ $$(id -u) -eq 0 ]] || { echo "This starts Docker engines in network namespaces, which needs root: repeat it with sudo." >&2; exit 1; }

.PHONY: lint
lint: setup ## Check style, types, import directions, the committed schema; changes nothing
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check
	@$(PYTHON) -m mypy
	@.venv/bin/lint-imports
	@$(PYTHON) -m backend.contract.schema --check
	@for script in stack/bootstrap.sh stack/packages.sh; do bash -n $$script; done
	@! git grep -nIE 'py[p]i[.]org|python[h]osted[.]|mave[n][.]org|mave[n]\.apache|crate[s][.]io/|registr[y][.]npm|prox[y][.]golang|(deb|securit[y]|archiv[e])[.](debia[n]|ubunt[u])[.]' \
	  || { echo "These lines name the host of a package registry." >&2; exit 1; }

.PHONY: format
format: setup ## Format the code and sort its imports
	@$(PYTHON) -m ruff check --fix --select I
	@$(PYTHON) -m ruff format

.PHONY: bench
bench: setup-bench build ## Measure against bare references, alternately; writes docs/benchmarks.md
	@$(PYTHON) -m tests.benchmarks $(ARGS)

.PHONY: evaluate
evaluate: setup ## How well faults are found, beside simple detectors; ARGS=--write puts the table into docs/prediction.md
	@nice -n 5 $(PYTHON) -m tests.evaluation $(ARGS)

.PHONY: screenshots
screenshots: setup ## Pictures of every page, light and dark, of the running system into docs/pictures
	@$(PYTHON) -m tests.helpers.screenshots $(ARGS)

# --- pinning

COMPILE := build/lock/bin/uv pip compile --generate-hashes --no-header --no-emit-index-url --no-annotate --python-version 3.11 --universal -q

.PHONY: lock
lock: ## Pin the Python requirements anew: make lock ARGS=--upgrade
	@bash stack/bootstrap.sh system
	@python3 -m venv build/lock && build/lock/bin/python -m pip install -q --require-hashes -r requirements/uv.txt
	@$(COMPILE) $(ARGS) requirements/build.in -o requirements/build.txt
	@$(COMPILE) $(ARGS) requirements/uv.in -o requirements/uv.txt
	@$(COMPILE) $(ARGS) pyproject.toml --extra embedded --extra prediction --extra dev -o requirements/dev.txt
	@# Constrained by dev.txt: the same versions in both.
	@$(COMPILE) $(ARGS) pyproject.toml --extra embedded --extra prediction -c requirements/dev.txt -o requirements/run.txt
	@for set in services spark mongo-lite; do \
	  $(filter-out --universal,$(COMPILE)) --python-platform linux $(ARGS) -c requirements/dev.txt requirements/images/$$set.in -o requirements/images/$$set.txt; \
	done
	@rm -rf build/lock

.PHONY: lock-jars
lock-jars: setup-run ## Pin the JVM artifacts anew after a change of stack/jars/ivy.xml
	@$(PYTHON) -m stack.jars.lock
