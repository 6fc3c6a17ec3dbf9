# Everything a person or CI runs. `make run` and `make test` need nothing installed before but Python 3.11+.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: run test check lint types web audit bench prove lock clean

run: $(VENV)/.run
	@EARMARK_DEMO=$${EARMARK_DEMO-true} earmark serve

test: $(VENV)/.test
	@sh tools/services.sh
	@sh tools/test.sh

check: lint types web

lint: $(VENV)/.test
	ruff format --check .
	ruff check .
	djlint --lint --quiet app/templates

types: $(VENV)/.test
	mypy

web: node_modules/.installed
	npx --no-install tsc --project tsconfig.json
	npx --no-install biome check app/static/js

# Asks the package index for known vulnerabilities; fails when it could not ask.
audit: $(VENV)/.test
	pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock

bench: $(VENV)/.test
	python -m benchmarks

# The long forms of the fault and fuzz tests (docs/security.md).
prove: $(VENV)/.test
	PROVE_KILLS=300 PROVE_ARCHIVE_KILLS=100 PROVE_POLICIES=50 PROVE_ROLLUPS=500 PROVE_BODIES=200000 PROVE_CURSORS=200000 \
	    PROVE_SQL=5000 PROVE_QUERIES=200000 PROVE_PLANS=100000 \
	    pytest tests/faults tests/blueprints tests/database tests/models -q -rP --timeout 14400

lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url setup.cfg -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url setup.cfg --extra test --extra check -o requirements-dev.lock

clean:
	rm -rf $(VENV) node_modules build *.egg-info htmlcov .coverage

# A stamp a kind of environment, made again when its lock changes. The wanted one is named by the target.
$(VENV)/.run: requirements.lock setup.cfg
	@$(call environment,requirements.lock)
	@touch $@

$(VENV)/.test: requirements-dev.lock setup.cfg
	@$(call environment,requirements-dev.lock)
	@touch $@ $(VENV)/.run

node_modules/.installed: package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

ifdef UV
define environment
test -x $(BIN)/python || uv venv --quiet --python $(PYTHON) $(VENV); \
uv pip install --quiet --python $(BIN)/python --require-hashes -r $(1) && \
uv pip install --quiet --python $(BIN)/python --no-deps -e .
endef
else
define environment
test -x $(BIN)/python || $(PYTHON) -m venv $(VENV); \
$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1) && \
$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
endef
endif
