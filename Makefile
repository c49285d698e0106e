# demo and test set themselves up from the lock files; they need Python >= 3.11 with venv, make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# A file's tests stay in one process, with the worlds that they share. ARGS="-n 0" runs everything in one.
SIDE_BY_SIDE := -n auto --maxprocesses 4 --dist loadfile

.PHONY: demo test check bench soak contracts lock clean

demo: $(VENV)/run.stamp
	@$(BIN)/oracle demo $(ARGS)

test: $(VENV)/dev.stamp
	@$(BIN)/pytest -m "not soak" $(SIDE_BY_SIDE) $(ARGS)

check: $(VENV)/dev.stamp
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q tests/unit

bench: $(VENV)/dev.stamp
	@$(BIN)/python -m benchmarks $(ARGS)

soak: $(VENV)/dev.stamp
	@$(BIN)/pytest -m soak $(ARGS)

# Needs Debian's Rust 1.85 with its library source; the script says which packages are missing.
contracts:
	@scripts/build-contracts.sh

# Writes both lock files anew from pyproject.toml; needs uv.
lock:
	uv pip compile --universal --generate-hashes --no-header --python-version 3.11 --upgrade pyproject.toml -o requirements/run.txt
	uv pip compile --universal --generate-hashes --no-header --python-version 3.11 --upgrade pyproject.toml --extra build --group dev \
		-c requirements/run.txt -o requirements/dev.txt

clean:
	rm -rf $(VENV) build dist *.egg-info

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; set PYTHON=python3.x")'
	@$(PYTHON) -m venv $(VENV)

# setuptools installs our own package; left to find it by itself, pip takes one that nobody pinned. Its pin is the one of requirements/dev.txt.
$(VENV)/run.stamp: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	@echo "Setting up $(VENV) from requirements/run.txt (once) ..."
	@sed -n '/^setuptools==/,/^    # via/p' requirements/dev.txt > $(VENV)/setuptools.txt
	@$(PIP) install --require-hashes -r requirements/run.txt -r $(VENV)/setuptools.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	@echo "Setting up $(VENV) from requirements/dev.txt (once) ..."
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/run.stamp
