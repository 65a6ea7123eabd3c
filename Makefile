# One command each: `make demo` shows the main job, `make test` runs every check. Both set up .venv first.
PYTHON ?= python3
BIN := .venv/bin

# With any other load on the machine, LightGBM's threads spin while they wait.
export OMP_WAIT_POLICY := PASSIVE

.PHONY: help setup demo test test-rooms test-flows test-postgres lint format types architecture audit docs lock benchmark-setup clean

help:            ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 18

setup: .venv/ready   ## the environment, exactly as locked

# `ready` is there only while the environment is whole: without it the environment is made anew, so that an interrupted set-up is
# repeated. --compile-bytecode, or every process would compile what it imports again.
.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "uncap needs Python 3.11, 3.12 or 3.13, this is %d.%d: make PYTHON=python3.11" % sys.version_info[:2])'
	@$(PYTHON) -c 'import ctypes, sys; sys.platform.startswith("linux") and ctypes.CDLL("libgomp.so.1")' 2>/dev/null || \
		{ echo "uncap needs the system library libgomp.so.1 (for LightGBM): apt-get install libgomp1, or dnf install libgomp" >&2; exit 1; }
	@test -e $@ || $(PYTHON) -m venv --clear .venv
	@rm -f $@
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.lock
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# Longest first, as tests/conftest.py orders them.
IN_TWO := --numprocesses 2 --dist loadfile --no-loadscope-reorder

# Coverage is of the rooms, as far as their own tests reach: to trace whole flows doubles their time.
UNTRACED := tests/demo tests/flows tests/postgres/test_same_everywhere.py tests/postgres/test_runs_keep_apart.py \
	tests/test_architecture.py tests/test_audit.py tests/test_docs.py

demo: .venv/ready    ## the main job on a simulated county
	$(BIN)/uncap demo

test: lint architecture   ## every check: style, types, imports, then all tests; coverage of the rooms
	@$(MAKE) --no-print-directory --jobs=2 types test-rooms
	@$(MAKE) --no-print-directory test-flows

test-rooms: .venv/ready   ## all tests but those of whole flows; coverage of the rooms
	$(BIN)/pytest --cov $(IN_TWO) $(addprefix --ignore=,$(UNTRACED)) contracts warehouse features models tests

test-flows: .venv/ready   ## the tests of whole flows, and others that are not traced
	$(BIN)/pytest $(IN_TWO) $(UNTRACED) demo flows

test-postgres: .venv/ready   ## the tests on a PostgreSQL server, which they start on loopback and stop again
	UNCAP_TESTS_NEED_POSTGRES=1 $(BIN)/pytest tests/postgres

audit: .venv/ready   ## known vulnerabilities of the locked packages, where the list of them can be reached
	$(BIN)/python .ci/audit.py

lint: .venv/ready    ## style, and whether the formatter would change anything
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: .venv/ready  ## let the formatter and the safe fixes change files
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: .venv/ready   ## mypy, strict
	$(BIN)/mypy

architecture: .venv/ready   ## who imports whom
	$(BIN)/lint-imports --no-logo

docs: .venv/ready    ## the pages that are made from the contract and the features
	for page in docs/generate_*.py; do $(BIN)/python $$page || exit 1; done

lock: .venv/ready    ## resolve the dependencies anew
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --quiet -o requirements.lock

benchmark-setup: .venv/ready   ## what the benchmarks compare with, in an environment of its own
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-benchmark
	$(BIN)/uv pip sync --quiet --python .venv-benchmark/bin/python --require-hashes benchmarks/requirements.lock

clean:           ## remove the environments and all caches; data/ and mlruns/ stay
	rm -rf .venv .venv-benchmark build *.egg-info .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
