# Every target sets up what it needs: nothing but Python >= 3.11 and make is assumed.
PYTHON ?= python3
VENV ?= .venv
OUT ?= out/quickstart
BIN := $(VENV)/bin
RUN := $(BIN)/python -m
INPUTS := pyproject.toml constraints.txt

.PHONY: help demo test test-all check bench validate clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.installed  ## make the quickstart dataset, verify it, draw its contact sheet
	$(BIN)/vasgen build --preset quickstart --out $(OUT)
	$(BIN)/vasgen verify $(OUT)
	$(BIN)/vasgen show $(OUT) --out $(OUT)/sheet.png

test: $(VENV)/.installed-test  ## run the tests (minutes)
	$(RUN) pytest -n 2 --dist loadfile -m "not slow"

test-all: $(VENV)/.installed-test  ## run all tests, the slow ones too
	$(RUN) pytest -n 2 --dist loadfile

check: $(VENV)/.installed-check  ## lint, format and strict types
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	rm -rf build/typed
	$(RUN) pip install --quiet --no-deps --target build/typed .
	MYPYPATH=build/typed $(RUN) mypy -p vasgen

bench: $(VENV)/.installed-test  ## measure speed and memory, beside what one would use instead
	$(RUN) benchmarks

validate: $(VENV)/.installed-test  ## hold the maps against theory and write docs/validation.md
	$(RUN) validation

clean:  ## remove the environment and everything made
	rm -rf $(VENV) build out *.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "vasgen needs Python 3.11 or newer; $(PYTHON) is older. Use make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python $(INPUTS)
	$(RUN) pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-test: $(BIN)/python $(INPUTS)
	$(RUN) pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-check: $(BIN)/python $(INPUTS)
	$(RUN) pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,check]'
	@touch $@ $(VENV)/.installed $(VENV)/.installed-test
