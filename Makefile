# Python 3.11 to 3.14; another interpreter: make test PYTHON=python3.12
PYTHON ?= python3
BIN := .venv/bin
.PHONY: demo test test-browser sweep sanitize fuzz bench package docs
SECONDS ?= 600
demo: .venv/installed
	mkdir -p build && $(BIN)/patternc compile examples/bigbird.pat --backend all --native --self-test -o build/bigbird.py
	$(BIN)/python build/bigbird.py
	$(BIN)/patternc show examples/bigbird.pat -n 4096
test: .venv/installed
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	$(BIN)/pytest -n 2 --dist worksteal -m "not sweep"
# Needs Chromium: apt install chromium. Pictures of the page go to build/pages.
test-browser: .venv/installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[browser]'
	mkdir -p build/pages && PATTERNC_PICTURES=build/pages $(BIN)/pytest tests/explore/test_browser.py
sweep: .venv/installed
	$(BIN)/pytest -n 2 -m sweep
	$(BIN)/python benchmarks/sweep.py --output benchmarks/results/kernels-$$(date +%F).json
sanitize: .venv/installed
	$(BIN)/pytest -n 2 -m sweep tests/native
fuzz: .venv/installed
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.fuzz --seconds $(SECONDS)
# The sdist and the wheel in dist/; the wheel tried in a fresh environment with its dependencies, outside of the checkout.
package: .venv/installed
	$(BIN)/python -m tests.package
# The pages of docs/ as a site in build/site.
docs: .venv/installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[docs]'
	$(BIN)/python docs/site.py
bench: .venv/installed
	$(BIN)/python benchmarks/layout.py
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --no-compile --constraint constraints.txt --editable '.[test,dev]'
	touch $@
