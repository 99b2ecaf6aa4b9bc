# What a person can do here. `make help` prints it.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
STAMP := $(VENV)/.installed
SOURCES := $(shell find hw/esp32 -name '*.[ch]' -o -name '*.def')
ROBOT_OPTIONS ?=
SUITE ?= robot
TAGS ?=
CASES ?=
SEED ?=
BUDGET ?=
TARGET ?=
PYTEST_OPTIONS ?=
LIBRARIES = $(notdir $(basename $(wildcard lab/keywords/*Keywords.py)))
C_FILES = $(shell git ls-files 'hw/esp32/*.c' 'hw/esp32/*.h')

.PHONY: help lab test check robot board keywords inject conform browser bench clean packages

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

lab: $(STAMP) ## boot the board and keep it up until Ctrl-C
	@exec $(BIN)/lab up $(LAB_OPTIONS)

test: export LAB_PACKAGES = qemu-system-misc
test: check ## lint, types, pytest, Robot suites
	@$(BIN)/pytest --junitxml results/pytest/junit.xml --html results/pytest/report.html \
	  --self-contained-html $(PYTEST_OPTIONS)
	@$(MAKE) --no-print-directory robot

packages:
	@sh lab/packages.sh

check: packages $(STAMP) ## lint, format and type checks alone
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check lab hw tests setup.py
	@$(BIN)/clang-format --dry-run -Werror $(C_FILES)
	@$(BIN)/mypy
	@$(BIN)/robocop check robot

robot: keywords ## the Robot suites, side by side (SUITE=robot/echo.robot, TAGS=, ROBOT_OPTIONS=)
	@rm -rf results/robot/failures
	@$(BIN)/pabot --command $(BIN)/robot --end-command --no-pabotlib --outputdir results/robot --xunit xunit.xml --pythonpath . \
	  --skiponfailure known-defect $(if $(TAGS),--include '$(TAGS)') $(ROBOT_OPTIONS) $(SUITE); \
	  status=$$?; $(BIN)/python -m lab.keywords.summary results/robot; exit $$status

board: $(STAMP) ## a physical board: app and suites (PORT=, SSID=, PASSWORD=, FLASH=1, NET=lan)
	@exec $(BIN)/lab board

keywords: $(STAMP) ## reference of the Robot keywords, as HTML in results/keywords
	@mkdir -p results/keywords
	@for library in $(LIBRARIES); do \
	  $(BIN)/libdoc --pythonpath . --quiet lab.keywords.$$library \
	    results/keywords/$$library.html; done

inject: $(STAMP) ## malformed traffic against the board (CASES='utf8,flood/*' SEED= BUDGET=seconds TARGET=embedded,renode,unix)
	@exec $(BIN)/lab inject $(if $(CASES),--cases '$(CASES)') $(if $(SEED),--seed '$(SEED)') \
	  $(if $(BUDGET),--budget '$(BUDGET)') $(if $(TARGET),--target '$(TARGET)')

conform: $(STAMP) ## WebSocket conformance: one table on CPython, MicroPython and the board
	@$(BIN)/pytest tests/conformance $(PYTEST_OPTIONS)

browser: export LAB_PACKAGES = chromium chromium-driver
browser: packages $(STAMP) ## Debian's Chromium, which the tests in tests/browser want
	@chromium --version 2>/dev/null || echo "no Chromium: the browser tests will be skipped"

bench: $(STAMP) ## figures of this machine, and microdot 2.7.0 beside ours
	@$(BIN)/python -m lab.bench
	@$(BIN)/python -m lab.peers

clean: ## remove what was made here (the firmware cache stays)
	rm -rf $(VENV) build results hw/esp32/libesp32.so *.egg-info .pytest_cache .mypy_cache .ruff_cache

# --- setting up ------------------------------------------------------------------------------

$(STAMP): pyproject.toml setup.py requirements.lock lab/packages.sh $(SOURCES)
	@sh lab/packages.sh
	@test -x $(BIN)/python || { echo "setting up $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@cmp -s requirements.lock $(VENV)/requirements.lock || { \
	  echo "installing Python packages"; \
	  $(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock && \
	  $(BIN)/pip install --quiet --disable-pip-version-check "setuptools>=68" wheel && \
	  cp requirements.lock $(VENV)/requirements.lock; }
	@echo "compiling the chip"
	@cmp -s pyproject.toml $(VENV)/pyproject.toml && $(BIN)/python -m hw.esp32.build >/dev/null || { \
	  $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . && \
	  cp pyproject.toml $(VENV)/pyproject.toml; }
	@touch $@
