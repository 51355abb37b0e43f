# Everyday commands; `make` alone lists them.
VENV := .venv
PY := $(VENV)/bin/python
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help setup demo lint fmt test test-cluster test-browser test-deploy test-slow bench docs clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## ?/\t/' | sort | expand -t 16

setup: $(VENV)/.installed  ## make the environment in .venv

$(VENV)/.installed: requirements.txt requirements-dev.txt constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "OpenImpact needs Python 3.11, 3.12 or 3.13 and found no '$(PYTHON)'; install one or run make PYTHON=/path/to/python3."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "OpenImpact needs Python 3.11, 3.12 or 3.13, but '$(PYTHON)' is $$($(PYTHON) -V); run make PYTHON=/path/to/python3."; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(PY) -m pip install -q uv
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(VENV)/bin/uv pip install -q --compile-bytecode -r requirements-dev.txt -c constraints.txt
	@touch $@

demo: setup  ## the whole system on a small made-up world, offline (ARGS=--once stops by itself)
	$(PY) -m demo run $(ARGS)

lint: setup  ## ruff and sqlfluff
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/sqlfluff lint dbt/models --processes 2

fmt: setup  ## format Python and SQL in place
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	$(VENV)/bin/sqlfluff fix dbt/models --processes 2

test: setup  ## everything that needs only Python
	$(PY) -m pytest tests --ignore=tests/cluster --ignore=tests/browser -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

test-cluster: setup  ## the same on PostgreSQL, SeaweedFS and Trino and a real chain (needs their binaries, Maven, JDK 25, npm)
	REQUIRE_ALL=1 $(PY) -m pytest tests/cluster -m 'slow or not slow' $(ARGS)

test-browser: setup  ## the website, and an operator's day in the Airflow UI, in a real Chromium (SCREENSHOTS=docs/images keeps pictures)
	REQUIRE_ALL=1 $(PY) -m pytest tests/browser $(ARGS)

test-deploy: setup  ## builds the image by buildah in a chroot and looks into it (root; needs buildah and debootstrap)
	$(PY) -m pytest tests/deploy/test_image.py -m 'slow or not slow' $(ARGS)

test-slow: setup  ## long ones: days in any order, sixty builds of a day, gaps and long runs (an hour)
	$(PY) -m pytest tests --ignore=tests/cluster --ignore=tests/browser -m slow $(ARGS)

bench: setup  ## ratios of parsing, landing and building, from one run
	$(PY) -m tests.bench $(ARGS)

docs: setup  ## the dbt docs site as one file, from the last build
	$(PY) -m include docs

clean:  ## remove the environment, the demo's home and caches
	rm -rf $(VENV) .openimpact .pytest_cache .ruff_cache dbt/target dbt/logs
