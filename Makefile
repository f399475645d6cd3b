# Two commands to start with: make repro, make test.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
# The one package without a wheel; setuptools of the lock builds it. pip refuses a second one.
SOURCES := antlr4-python3-runtime
# Stages run as "python -m stages.x" with the Python of .venv.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1

ifeq ($(OS),Windows_NT)
$(error Windows is not supported: use WSL, https://learn.microsoft.com/windows/wsl/install)
endif

.PHONY: help env repro power drift worker store test test-slow test-all lint format verify real exp use table compare audit serve score bench shown readme docs lock

# help reads the text behind "##": a description, or an example and a description.
help:  ## list the targets with an example each
	@awk -F '  ## ' '/^[a-z-]+:.*  ## / {split($$1, name, ":"); \
		printf "%-36s %s\n", (NF > 2) ? $$2 : ("make " name[1]), $$NF}' Makefile
	@echo
	@echo 'Variables that change no result and rerun no stage, for every target:'
	@echo '  JOBS=2                             workers of parallel work (-1: one per core)'
	@echo '  BACKEND=loky                       backend of the workers: threading, loky or dask'
	@echo '  DASK_SCHEDULER_ADDRESS=tcp://host:8786  the cluster of BACKEND=dask; see make worker'
	@echo '  LOG_DIR=logs                       prediction log of the scorer, which make drift reads'
	@echo '  MODEL_DIR=folder                   model that is served, scored with and monitored'
	@echo
	@echo 'NUMERICS=native runs all stages with the fastest kernels of the processor; other last bits.'

env: .venv/installed  ## create the environment from requirements.lock, by hash

.venv/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version + ": run make PYTHON=/path/to/python3.11")'
	@test ! -L .venv || { echo '.venv is a link to an environment, which would be emptied: rm .venv' >&2; exit 2; }
	@git rev-parse --git-dir >/dev/null 2>&1 || { echo 'this folder is no git repository, which DVC needs: git clone the project, or git init && git add -A && git commit -m start' >&2; exit 2; }
	$(PYTHON) -m venv --clear .venv
	awk '/^[a-z]/ {keep = /^setuptools==/} keep' requirements.lock > .venv/build.lock
	$(PIP) -r .venv/build.lock
	$(PIP) --no-build-isolation --only-binary :all: --no-binary $(SOURCES) -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

repro: env  ## make repro JOBS=4  ## run every stage whose inputs changed
	@python -m stages.support.repro

power: env  ## simulate the drift detector: false alarms and power
	@python -m stages.support.repro power/dvc.yaml

# Without DVC, which would write changed code and parameters into dvc.lock: no tracked file changes.
drift: env  ## make drift ACKNOWLEDGE=1  ## look for drift in the logs; 1 acknowledges an alert
	$(if $(filter-out 0 1,$(ACKNOWLEDGE)),$(error ACKNOWLEDGE=$(ACKNOWLEDGE): set it to 1 to acknowledge the alert, to 0 or nothing to keep it))
	@python -m scoring drift $(if $(filter 1,$(ACKNOWLEDGE)),--acknowledge)

# An absolute path: DVC resolves a relative one of another revision from the root of the file system.
# DIR=/path/of/a/folder or DIR=s3://bucket/folder
store: env  ## make store DIR=/srv/flowers  ## share results through a folder or bucket
	@test -n "$(DIR)" || { echo 'DIR is not set: make store DIR=/path/of/a/folder' >&2; exit 2; }
	@case "$(DIR)" in *://*|/*) at="$(DIR)";; *) at="$(CURDIR)/$(DIR)";; esac; \
		dvc remote add --quiet --local --force --default store "$$at" && echo "store: $$at"

worker: env  ## make worker SCHEDULER=tcp://host:8786  ## work for BACKEND=dask on other machines
	@python -m study.worker $(SCHEDULER)

test: env  ## run the fast tests
	python -m pytest -n auto -m "not slow"

test-slow: env  ## run the slow tests
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

# Quote a value for the shell.
quote = '$(subst ','\'',$1)'
# The variables that are set on the command line, not in the environment, as options.
options = $(foreach v,$1,$(if $(filter command,$(firstword $(origin $v))),--$v=$(call quote,$($v))))

exp: env  ## make exp NAME=mine SOURCE=photos.zip  ## run and compare; also RECIPE=pixels, SET="split.seed=1"
	@python -m study.exp $(call options,NAME SOURCE RECIPE SET)

use: env  ## make use RECIPE=pixels  ## write a recipe of recipes/ into params.yaml
	@python -m study.recipes $(call quote,$(RECIPE))

# Digests and some metrics are dropped, so that the parameters fit into 160 columns.
table: env  ## list experiments: changed parameters, summary metrics
	@COLUMNS=160 dvc exp show --no-pager --num 2 --only-changed --hide-workspace --sort-by svm \
		--sort-order desc \
		--drop '^(data|models|plots|metrics|flowers|stages|review)/[^:]*$$|^(Created|State|Executor|svm_low|svm_high|distinct|photos|ece|fetch[.](path|sha256))$$'

compare: env  ## make compare RUNS="HEAD textures"  ## compare runs by a paired test
	@python -m study.compare $(RUNS)

audit: env  ## make audit SOURCE=photos  ## measure leakage and copies in a data set
	@test -n "$(SOURCE)" || { echo 'SOURCE is not set: make audit SOURCE=/path/of/photos' >&2; exit 2; }
	@python -m study.audit $(call quote,$(SOURCE)) $(if $(IGNORE),--ignore $(call quote,$(IGNORE)))

verify: env  ## compare outputs with HEAD: on disk, in cache, in a new run
	python -m study.verify

serve: env  ## make serve PORT=5001  ## start the scorer; its page: http://127.0.0.1:5001
	python -m scoring.server

score: env  ## make score FILES="photo.jpg folder"  ## classify photos on this machine
	@python -m scoring.predict $(FILES)

real: env  ## make real SOURCE=photos.zip  ## run the protocols of README.md on real photos
	python -m study.real $(SOURCE)

# pip install '.[peers,cluster]' adds the libraries that benchmarks.drift and the last four need.
bench: repro  ## make bench SOURCE=photos.zip  ## measure stages, libraries, scale, scorer, attacks
	python -m benchmarks.stages
	$(if $(SOURCE),python -m benchmarks.stages $(SOURCE))
	$(if $(SOURCE),python -m benchmarks.stages $(SOURCE) fisher-large)
	python -m benchmarks.numerics $(SOURCE)
	python -m benchmarks.growth
	$(if $(SOURCE),python -m benchmarks.solvers $(SOURCE))
	python -m benchmarks.near_duplicate_search
	python -m benchmarks.serve
	-python -m benchmarks.drift
	python -m study.near_duplicate_recall $(SOURCE)
	python -m benchmarks.attack
	$(if $(SOURCE),python -m study.typicality $(SOURCE))
	-python -m benchmarks.cluster
	-$(if $(SOURCE),python -m benchmarks.race $(SOURCE))
	-$(if $(SOURCE),python -m benchmarks.plain_study $(SOURCE))
	-$(if $(SOURCE),python -m benchmarks.near_duplicate_peers $(SOURCE))

shown: repro  ## repeat the runs that README.md shows
	python -m docs.tables.shown

readme: env  ## regenerate the tables of README.md and docs
	python -m docs.tables

docs: env .venv/docs/installed  ## build the pages and the API reference into site/index.html
	.venv/docs/bin/mkdocs build --quiet

.venv/docs/installed: requirements-docs.lock
	uv venv --quiet --clear .venv/docs
	uv pip sync --quiet --python .venv/docs --require-hashes requirements-docs.lock
	@touch $@

lock: env  ## resolve the lock files from pyproject.toml
	uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 \
		--generate-hashes --no-header --extra dev --extra fuzz \
		--output-file requirements.lock pyproject.toml
	uv pip compile --quiet --python-version 3.11 --python-platform linux --generate-hashes \
		--no-header --constraint requirements.lock --group serve \
		--output-file requirements-serve.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--constraint requirements.lock --group docs --output-file requirements-docs.lock
