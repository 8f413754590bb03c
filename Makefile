# What people and CI call. README.md has the two that matter: `make demo` and `make test`.

PYTHON ?= python3
BIN := .venv/bin
SOURCES := dfm dfm_worker daemon/dfm_daemon tests bench examples
# Set on some machines, it makes every start of Python compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo test style types unit wheel-check fix sim bench clean

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
	$(BIN)/pytest

wheel-check: install
	$(BIN)/python tests/tools/wheel_check.py

fix: install
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

sim: install
	$(BIN)/python -m tests.sim --workers 100000

bench: install
	$(BIN)/python -m bench.all --into docs/performance.md

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
