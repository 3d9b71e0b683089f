# Everything that README and CI run. PYTHON and PIP_FLAGS may be set: make PYTHON=python3.12 install
PYTHON    ?= python3
PIP_FLAGS ?=
BIN       := .venv/bin

.PHONY: demo docs test check install report bench clean

demo: install           ## train on scikit-learn's digits and write demo/
	$(BIN)/shoal demo demo

# A process a core, each on one thread: the same bits whatever their number.
test: install           ## the whole test suite, offline
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal

check: install docs     ## style, types, layers, examples in docstrings, the site
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --doctest-modules shoal

docs: install           ## the site in docs/_build/html; a warning is an error
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt -e ".[dev]"
	touch $@

DATA ?= ../shared/data/scenery

report: install         ## report.pdf and report.html of the three checkpoints; DATA=folder of trainX.npy, valX.npy, valY.npy
	$(BIN)/shoal report $(DATA)/trainX.npy checkpoints/best.pth report.pdf report.html \
	  --before checkpoints/baseline.pth --after checkpoints/improved.pth \
	  --images $(DATA)/valX.npy --labels $(DATA)/valY.npy

bench: install          ## the table of README from nothing: about two hours on 2 cores
	$(BIN)/python benchmarks/quality.py

clean:                  ## remove what the targets above made
	rm -rf .venv demo docs/_build docs/reference/commands.md .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
