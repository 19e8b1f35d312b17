# Everything a newcomer types. Each target does its own set-up; running it again is quick.

PORT ?= 3000
HOST ?= 127.0.0.1
# The newest Python here that is 3.11 or later; `make PYTHON=/path/to/python ...` chooses another.
PYTHON ?= $(shell for v in 3.13 3.12 3.11 3; do \
	python$$v -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo python$$v && break; \
	done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

export BENTOML_DO_NOT_TRACK := True

.DEFAULT_GOAL := help
.PHONY: help serve test lint format docs bento image web web-check web-test screenshots train-env pins clean

# The one thing that the targets below do not set up themselves: it is a program of the system.
define need-chromium
@test -x "$${CHROMIUM:-/usr/bin/chromium}" || { echo "Chromium is needed: apt install chromium, or CHROMIUM=/path/to/chrome make $@"; exit 1; }
endef

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

serve: $(VENV)/.serve  ## the service on http://HOST:PORT (default 127.0.0.1:3000)
	$(BIN)/bentoml serve service:Pillscope --host $(HOST) --port $(PORT)

test: $(VENV)/.dev  ## all tests; ARGS="-k photo" runs some
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.dev  ## style, types, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev  ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.serve  ## write the generated pages of docs/
	$(BIN)/python -m pipeline.settings_page

bento: $(VENV)/.serve  ## one versioned bundle: code, models, index, pinned packages
	$(BIN)/bentoml build

image: $(VENV)/.serve  ## the container image of every role; see deploy/image/build.sh for its variables
	PYTHON=$(BIN)/python deploy/image/build.sh

web: web/node_modules/.stamp  ## build the page into web/dist (needs Node 20.19 or newer)
	cd web && npm run --silent build

web-check: web/node_modules/.stamp  ## the page without a browser: types, style, logic, and that web/dist is what is built
	cd web && npm run --silent check && npm test --silent
	cd web && npm run --silent build -- --outDir node_modules/.built && diff -r node_modules/.built dist

web-test: $(VENV)/.serve web-check  ## the page: all that, and the whole way in Chromium
	$(need-chromium)
	cd web && BENTOML=$(abspath $(BIN))/bentoml npm run --silent e2e

screenshots: $(VENV)/.serve web/node_modules/.stamp  ## take the pictures of the page for the README anew
	$(need-chromium)
	cd web && BENTOML=$(abspath $(BIN))/bentoml npm run --silent screenshots

train-env: .venv-train/.train  ## .venv-train with torch, timm and ultralytics (6 GB)

pins: | $(VENV)/bin/python  ## resolve pyproject.toml anew into requirements*.txt
	rm -rf .venv-pins && $(VENV)/bin/python -m venv .venv-pins
	.venv-pins/bin/pip install --quiet -e . && .venv-pins/bin/pip freeze --exclude-editable > .venv-pins/serve
	.venv-pins/bin/pip install --quiet -e .[dev] && .venv-pins/bin/pip freeze --exclude-editable > .venv-pins/all
	{ grep '^#' requirements.txt; cat .venv-pins/serve; } > .venv-pins/new && mv .venv-pins/new requirements.txt
	{ grep '^#' requirements-dev.txt; grep -vxFf .venv-pins/serve .venv-pins/all; } > .venv-pins/new && mv .venv-pins/new requirements-dev.txt
	rm -rf .venv-pins

clean:  ## remove the environments and caches
	rm -rf $(VENV) .venv-train .venv-pins *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed: apt install python3 python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Stamps: made anew when the pins or the project's own list of packages change.
$(VENV)/.serve: pyproject.toml requirements.txt | $(VENV)/bin/python
	$(PIP) install -r requirements.txt -e .
	@touch $@

$(VENV)/.dev: pyproject.toml requirements.txt requirements-dev.txt | $(VENV)/bin/python
	$(PIP) install -r requirements.txt -r requirements-dev.txt -e .[dev]
	@touch $(VENV)/.serve $@

web/node_modules/.stamp: web/package-lock.json
	@command -v npm > /dev/null || { echo "Node 20.19 or newer with npm is needed: apt install nodejs npm"; exit 1; }
	cd web && npm ci --silent --no-fund --no-audit
	@touch $@

.venv-train/.train: pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed: apt install python3 python3-venv"; exit 1; }
	test -x .venv-train/bin/python || $(PYTHON) -m venv .venv-train
	.venv-train/bin/python -m pip --disable-pip-version-check --quiet install -e .[train]
	@touch $@
