# Everything a newcomer needs: make repro, make test.
PYTHON ?= python3
BIN := .venv/bin
# Stages run as "python -m stages.x": the python of this folder's environment comes first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1

.PHONY: help env repro drift test test-all lint format verify real table compare serve score bench readme lock

# A target says "## what it does", or "## an example of its use  ## what it does".
help:  ## list the targets, each as it may be called
	@awk -F '  ## ' '/^[a-z-]+:.*  ## / {split($$1, name, ":"); \
		printf "%-36s %s\n", (NF > 2) ? $$2 : ("make " name[1]), $$NF}' Makefile
	@echo
	@echo 'These change no result and rerun nothing; write them behind any target:'
	@echo '  JOBS=2                             workers of parallel work (-1: one per core)'
	@echo '  BACKEND=loky                       where they run: threading, loky, dask or ray'
	@echo '  LOG_DIR=logs                       where the scorer logs, and what make drift looks into'
	@echo '  MODEL_DIR=folder                   the model that is served, scored with and watched'

env: .venv/installed  ## the environment, from the hashes in requirements.lock

.venv/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version + "; say make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

repro: env  ## make repro JOBS=4  ## run every stage whose inputs changed
	dvc repro

# --force: what is logged is no dependency that DVC sees. --single-item: nothing is trained anew.
drift: env  ## make drift LOG_DIR=/srv/flowers/logs  ## freeze what the scorer has logged and look for drift
	dvc repro --force --single-item snapshot
	dvc repro --single-item drift
	dvc repro --single-item report

test: env  ## run the tests that take seconds
	python -m pytest -n auto -m "not slow"

test-all: env  ## run all tests
	python -m pytest -n auto

lint: env  ## check style and formatting
	ruff check .
	ruff format --check .

format: env  ## format and sort imports
	ruff check --fix --select I .
	ruff format .

# Beside knobs and figures an experiment changes files, whose digests say nothing here.
table: env  ## experiments: the knobs that differ, and the headline figures
	@COLUMNS=160 dvc exp show --no-pager --only-changed --hide-workspace --sort-by svm \
		--sort-order desc \
		--drop '^(data|models|plots|metrics|flowers|stages|review)/[^:]*$$|^(Created|State|Executor)$$'

compare: env  ## make compare RUNS="HEAD textures"  ## runs on the same test photos, with interval and paired test
	@python -m benchmarks.compare $(RUNS)

verify: env  ## rerun everything in a clean copy and compare with dvc.lock
	python -m benchmarks.verify

serve: env  ## make serve PORT=5001  ## answer over HTTP, with a page: http://127.0.0.1:5001
	python -m scoring.server

score: env  ## make score FILES="photo.jpg folder"  ## answer for photos on this machine
	python -m scoring.local $(FILES)

real: env  ## make real SOURCE=photos.zip  ## the protocols of README.md on real photos, as experiments
	python -m benchmarks.real $(SOURCE)

bench: repro  ## time of the stages, the SVM, the scorer, drift on a long log
	python -m benchmarks.stages
	python -m benchmarks.gram
	python -m benchmarks.serve
	python -m benchmarks.drift

readme: env  ## write the tables of README.md anew from metrics/
	python -m benchmarks.readme

lock: env  ## resolve both lock files anew from pyproject.toml
	uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 \
		--generate-hashes --no-header --extra dev --extra fuzz \
		--output-file requirements.lock pyproject.toml
	uv pip compile --quiet --python-version 3.11 --python-platform linux --generate-hashes \
		--no-header --constraint requirements.lock --group serve \
		--output-file requirements-serve.lock
