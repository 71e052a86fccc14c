# Needs Python 3.11 to 3.13, make and a package index.  `make help` lists the targets.
#
#   make test PYTHON=python3.13 VENV=.venv-3.13     another Python beside the first
#   make run ARGS=--once                            arguments for the collector

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
TIER ?= ci
MINUTES ?= 60
# One more than there are cores: many tests wait for a process or a server.
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--require-hashes --no-deps --only-binary :all:
WHEEL_VENV := build/wheel-venv
BENCH_VENV := build/bench-venv
BENCH_PRODUCT := build/bench-product

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test kills soak bench lint format types docker-lint wheel wheel-test image-test autobahn lock clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

run: $(VENV)/.runtime ## Run the collector with config.yaml (or CONFIG_FILE); without one, the demo
	$(BIN)/python -m collector $(if $(CONFIG_FILE)$(wildcard config.yaml),run,demo) $(ARGS)

# Hundreds of processes are started: they are to find the code compiled.
test: $(VENV)/.dev ## Run the whole test suite
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses $(JOBS) --dist worksteal $(ARGS)

kills: $(VENV)/.dev ## Kill the real process again and again (TIER=ci: 150 times)
	COLLECTOR_TIER=$(TIER) $(BIN)/python -m pytest tests/crash/test_kill.py $(ARGS)

soak: $(VENV)/.dev ## An hour of load, faults, kills and outages (MINUTES=10: shorter)
	$(BIN)/python -m tests.soak --minutes $(MINUTES) $(ARGS)

# The collector is installed as users install it, its peers in an environment of their own.
# Both find the benchmark itself in this tree, after what is installed.
bench: wheel $(BENCH_VENV)/.libraries $(BENCH_PRODUCT)/.libraries ## Measure the collector against its peers (ARGS=--quick: smaller)
	$(BENCH_PRODUCT)/bin/python -m pip install --quiet --disable-pip-version-check \
		--force-reinstall --no-deps dist/*.whl
	$(BENCH_VENV)/bin/python -m bench --product $(BENCH_PRODUCT)/bin $(ARGS)

lint: $(VENV)/.dev ## Check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.dev ## Put the code into the one format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.dev ## Check the types
	$(BIN)/mypy

docker-lint: $(VENV)/.dev ## Check the Dockerfile
	$(BIN)/hadolint Dockerfile

wheel: $(VENV)/.dev ## Build the wheel into dist/
	rm -rf dist
	$(BIN)/python -m build --wheel --no-isolation --outdir dist .

# The wheel goes with the locked run-time packages alone into a new environment; the
# tests run away from the source tree, so nothing can be imported from it by accident.
wheel-test: wheel ## Test the wheel as a user installs it
	rm -rf $(WHEEL_VENV)
	$(BIN)/python -m venv $(WHEEL_VENV)
	$(WHEEL_VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --no-deps --only-binary :all: -r requirements.lock
	$(WHEEL_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps dist/*.whl
	$(WHEEL_VENV)/bin/python -m pip check
	rm -rf build/wheel-tests && cp -R tests/wheel build/wheel-tests
	cd build/wheel-tests && COLLECTOR_VENV=$(abspath $(WHEEL_VENV)) \
		$(abspath $(BIN))/python -m pytest -c pytest.ini .

image-test: $(VENV)/.dev ## Build and test the container image (ENGINE=podman or docker)
	tests/image/run.sh $(BIN)/python build/image $(ARGS)

autobahn: $(VENV)/.dev ## Run the Autobahn WebSocket suite (11 minutes; needs Python 2.7 too)
	tests/external/autobahn.sh $(BIN)/python build/autobahn $(ARGS)

lock: $(VENV)/.dev ## Renew the lock files from pyproject.toml (UPGRADE=1: newest versions)
	$(BIN)/uv pip compile $(LOCK_OPTIONS) pyproject.toml --output-file requirements.lock
	$(BIN)/uv pip compile $(LOCK_OPTIONS) pyproject.toml --all-extras \
		--constraint requirements.lock --output-file requirements-extras.lock
	$(BIN)/uv pip compile $(LOCK_OPTIONS) pyproject.toml --group dev \
		--constraint requirements.lock --output-file requirements-dev.lock
	$(BIN)/uv pip compile $(LOCK_OPTIONS) --group bench \
		--constraint requirements-dev.lock --output-file requirements-bench.lock

LOCK_OPTIONS := --quiet --universal --python-version 3.11 --generate-hashes --no-build \
	--no-emit-index-url --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

$(BENCH_VENV)/.libraries: requirements-bench.lock
$(BENCH_PRODUCT)/.libraries: requirements-extras.lock
build/bench-%/.libraries:
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --no-deps --only-binary :all: -r $<
	$(@D)/bin/python -c 'import pathlib, site; \
		pathlib.Path(site.getsitepackages()[0], "bench.pth").write_text("$(CURDIR)\n")'
	touch $@

clean: ## Remove everything that make made
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are touched last, so an interrupted set-up starts again.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "The collector needs Python 3.11, 3.12 or 3.13, and '$(PYTHON)' is not one of them." >&2; \
		echo "Name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up $(VENV) from the lock file; this takes about a minute, once."
	@$(PYTHON) -m venv --clear $(VENV) || { \
		echo "'$(PYTHON)' cannot make virtual environments." >&2; \
		echo "On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

# The command runs from this source tree: an edit is in effect at once.
$(VENV)/.command: $(VENV)/.made
	@$(BIN)/python -c 'import pathlib, site; \
		pathlib.Path(site.getsitepackages()[0], "collector-source.pth").write_text("$(CURDIR)\n")'
	@printf '#!%s\nfrom collector.__main__ import main\n\nmain()\n' "$(abspath $(BIN))/python" > $(BIN)/collector
	@chmod 755 $(BIN)/collector
	@touch $@

$(VENV)/.runtime: requirements.lock $(VENV)/.made $(VENV)/.command
	$(PIP_INSTALL) -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.made $(VENV)/.command
	$(PIP_INSTALL) -r requirements-dev.lock
	@touch $@
