# make run      the server on http://127.0.0.1:8000/ (PORT=9000 make run for another port)
# make test     every test        make check   what is checked without running the server
# make bench    measurements      make lock    pin the requirements anew
#
# Needs Python 3.11 or newer, nothing else: everything is installed into .venv. Stamp files make a
# second run start at once.

PYTHON ?= python3
PORT ?= 8000
HOST ?= 127.0.0.1
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Arguments for pytest: make test ARGS="tests/realtime -x". Without any: all tests, files shared out to three
# processes, since much of the time is waiting.
ARGS ?= -n 3 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test check bench lock clean
.DELETE_ON_ERROR:

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

# Made anew when its Python is gone, as after an upgrade of the system. Tools are run as modules: the
# scripts in .venv/bin hold the folder's path, which may change.
$(VENV)/.created: $(shell $(BIN)/python -c '' 2>/dev/null || echo FORCE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Foyer needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)."; \
		echo "Name another one:  make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "This Python cannot make virtual environments. On Debian and Ubuntu:"; \
		echo "    sudo apt-get install python3-venv"; exit 1; }
	@echo "Making the virtual environment in $(VENV)/"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@touch $@

.PHONY: FORCE
FORCE:

$(VENV)/.requirements: requirements.txt $(VENV)/.created
	@echo "Installing requirements (once; takes a minute)"
	@$(PIP) install -r requirements.txt
	@touch $@

$(VENV)/.requirements-dev: requirements-dev.txt requirements.txt $(VENV)/.created
	@echo "Installing requirements for development (once; takes a minute or two)"
	@$(PIP) install -r requirements-dev.txt
	@touch $@ $(VENV)/.requirements

setup: $(VENV)/.requirements

setup-dev: $(VENV)/.requirements-dev

# Demo data only into a database that was not there: whoever stops and starts keeps what they have.
run: setup
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py demo --if-empty
	@echo "Foyer runs on http://$(HOST):$(PORT)/ (Ctrl+C stops it)"
	@exec $(BIN)/python manage.py serve --host $(HOST) --port $(PORT)

# Hundreds of processes import the same: their bytecode is kept, whatever the environment says.
test: setup-dev
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest $(ARGS)

# The last line checks the settings of a production server, which `make run` does not use.
check: setup-dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m pytest -q tests/architecture
	$(BIN)/python manage.py makemigrations --check --dry-run
	DEBUG=0 SECRET_KEY="$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(50))')" \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

bench: setup-dev
	$(BIN)/python -m bench $(ARGS)

# Pinned for every Python from 3.11 on, with no address of an index in the files.
lock: setup-dev
	$(BIN)/python -m uv pip compile $(LOCK_FLAGS) requirements.in --output-file requirements.txt
	$(BIN)/python -m uv pip compile $(LOCK_FLAGS) requirements-dev.in --constraints requirements.txt --output-file requirements-dev.txt

LOCK_FLAGS := --quiet --universal --fork-strategy fewest --python-version 3.11 --no-emit-index-url \
	--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
