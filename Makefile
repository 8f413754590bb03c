# What people and CI call. README.md has the two that matter: `make demo` and `make test`.

PYTHON ?= python3
BIN := .venv/bin
SOURCES := dfm dfm_worker daemon/dfm_daemon tests bench examples
# Programs, and Debian's packages where they have other names. Without them tests on a cluster are left out.
SLURM := slurmctld slurmd munge sbatch=slurm-client
# Set on some machines, it makes every start of Python compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo test style types unit wheel-check fix sim fuzz soak bench bench-load bench-scale bench-peers bench-cluster reference cluster-up \
	cluster-down clean

install: .venv/installed

.venv/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("dfm needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: install
	tests/tools/need iverilog
	$(BIN)/python examples/demo.py

test: style types unit wheel-check

style: install
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)

types: install
	$(BIN)/mypy

unit: install
	tests/tools/need iverilog tmux ip=iproute2
	tests/tools/need $(SLURM) || [ "$$DFM_REQUIRE_SLURM" != 1 ]
	$(BIN)/pytest -n 3 --dist loadfile

wheel-check: install
	$(BIN)/python tests/tools/wheel_check.py

fix: install
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

sim: install
	$(BIN)/python -m tests.sim --workers 100000

fuzz: install
	DFM_FUZZ=2000 $(BIN)/pytest -n 2 tests/dfm/flow/test_fuzz.py tests/dfm/flow/expressions/test_properties.py

soak: install
	DFM_SOAK=1 $(BIN)/pytest tests/faults tests/security tests/cluster/scenarios

bench: install
	$(BIN)/python -m bench.all --into docs/performance.md

bench-scale: install
	$(BIN)/python -m bench.scale --into docs/performance.md

bench-load: install
	$(BIN)/python -m bench.load --into docs/performance.md

bench-peers: install
	$(BIN)/python -m bench.peers --into docs/performance.md

bench-cluster: install
	tests/tools/need $(SLURM)
	$(BIN)/python -m bench.cluster --into docs/performance.md

reference: install
	$(BIN)/python -m tests.tools.configuration_reference
	$(BIN)/python -m tests.tools.language_reference

cluster-up: install
	tests/tools/need $(SLURM)
	$(BIN)/python -m tests.cluster up

cluster-down: install
	$(BIN)/python -m tests.cluster down

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
