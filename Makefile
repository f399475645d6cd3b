# Everything a newcomer needs: make repro, make test.
PYTHON ?= python3
BIN := .venv/bin
# Stages run as "python -m stages.x": the python of this folder's environment comes first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1

.PHONY: help env repro drift store test test-slow test-all lint format verify real table compare serve score bench shown readme lock

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
	@python -m stages.support.repro

# --force: what is logged is no dependency that DVC sees. --single-item: nothing is trained anew.
drift: env  ## make drift ACKNOWLEDGE=1  ## look for drift in the logs; 1 acknowledges an alert
	$(if $(filter-out 0 1,$(ACKNOWLEDGE)),$(error ACKNOWLEDGE=$(ACKNOWLEDGE): say 1 to acknowledge the alert, 0 or nothing to keep it))
	$(if $(filter 1,$(ACKNOWLEDGE)),python -m scoring.acknowledge acknowledge)
	@python -m stages.support.repro --force --single-item snapshot
	@python -m stages.support.repro --single-item drift
	python -m scoring.acknowledge store
	@python -m stages.support.repro --single-item report

# Written to .dvc/config.local as an absolute path: DVC takes a relative one of another revision
# from the root of the file system. make store DIR=/path/of/a/folder, or DIR=s3://bucket/folder
store: env  ## make store DIR=/srv/flowers  ## name the folder that results are shared through
	@test -n "$(DIR)" || { echo 'say where: make store DIR=/path/of/a/folder' >&2; exit 2; }
	@case "$(DIR)" in *://*|/*) at="$(DIR)";; *) at="$(CURDIR)/$(DIR)";; esac; \
		dvc remote add --quiet --local --force --default store "$$at" && echo "store: $$at"

test: env  ## run the tests that take seconds
	python -m pytest -n auto -m "not slow"

test-slow: env  ## run the tests that make test leaves out
	python -m pytest -n auto -m slow

test-all: env  ## run all tests
	python -m pytest -n auto

lint: env  ## check style, formatting and the workflows
	ruff check .
	ruff format --check .
	zizmor --offline --quiet .github/workflows

format: env  ## format and sort imports
	ruff check --fix --select I .
	ruff format .

# Beside knobs and figures an experiment changes files, whose digests say nothing here.
table: env  ## experiments: the knobs that differ, and the headline figures
	@COLUMNS=160 dvc exp show --no-pager --only-changed --hide-workspace --sort-by svm \
		--sort-order desc \
		--drop '^(data|models|plots|metrics|flowers|stages|review)/[^:]*$$|^(Created|State|Executor)$$'

compare: env  ## make compare RUNS="HEAD textures"  ## runs on the same test photos, with interval and paired test
	@python -m study.compare $(RUNS)

verify: env  ## compare all outputs with HEAD: on disk, in cache, in a run anew
	python -m study.verify

serve: env  ## make serve PORT=5001  ## answer over HTTP, with a page: http://127.0.0.1:5001
	python -m scoring.server

score: env  ## make score FILES="photo.jpg folder"  ## classify photos on this machine
	python -m scoring.predict $(FILES)

real: env  ## make real SOURCE=photos.zip  ## the protocols of README.md on real photos, as experiments
	python -m study.real $(SOURCE)

# SOURCE: its pixels are raced; pip install '.[peers]' adds scikit-learn-intelex.
bench: repro  ## make bench SOURCE=photos.zip  ## time of stages, peers, more photos, scorer, drift, attack
	python -m benchmarks.stages
	$(if $(SOURCE),python -m benchmarks.stages $(SOURCE))
	python -m benchmarks.race $(SOURCE)
	python -m benchmarks.growth
	$(if $(SOURCE),python -m benchmarks.solvers $(SOURCE))
	$(if $(SOURCE),python -m benchmarks.folder $(SOURCE))
	python -m benchmarks.near_duplicate_race
	python -m benchmarks.near_duplicate_scale
	python -m benchmarks.dvc_costs
	python -m benchmarks.serve
	python -m benchmarks.drift
	python -m study.near_duplicate_recall $(SOURCE)
	python -m benchmarks.attack

shown: repro  ## run anew what README.md shows: stages, comparison, answer, page
	python -m docs.tables.shown

readme: env  ## write README.md anew from metrics/ and what make shown kept
	python -m docs.tables

lock: env  ## resolve both lock files anew from pyproject.toml
	uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 \
		--generate-hashes --no-header --extra dev --extra fuzz \
		--output-file requirements.lock pyproject.toml
	uv pip compile --quiet --python-version 3.11 --python-platform linux --generate-hashes \
		--no-header --constraint requirements.lock --group serve \
		--output-file requirements-serve.lock
