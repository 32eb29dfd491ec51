# Each target does its own set-up, in .venv of this checkout. `make PYTHON=python3.13 ...` picks the interpreter.
PYTHON ?= python3
VENV := .venv
PEERS := .venv-peers
PIP := -m pip --disable-pip-version-check --quiet

SOURCES := setup.py pyproject.toml MANIFEST.in README.md $(shell find kitnet -type f \
	! -name '*.so' ! -name '*.pyc' ! -path '*/.*' ! -path 'kitnet/_kernels/*.c' -o -path '*/simd/*.c')

.PHONY: help train test test-parity test-packaging conformance lint bench compare scaling footprint sanitize wheel clean
.DELETE_ON_ERROR:

help:
	@echo "make train           train on the bundled digits; writes model, history and picture to runs/digits"
	@echo "make test            the whole test suite, against the installed package"
	@echo "make test-parity     kitnet against PyTorch and Keras, value by value (installs them in $(PEERS))"
	@echo "make conformance     the cases that the package onnx ships: how many kitnet's importer passes, by group"
	@echo "make test-packaging  build sdist and wheels, install them in clean environments, try them there"
	@echo "make lint            ruff, cython-lint, mypy"
	@echo "make bench           pytest-benchmark over tests/cases/"
	@echo "make compare         kitnet against PyTorch and ONNX Runtime (installs them in $(PEERS))"
	@echo "                     make compare THREADS=1: on one thread, into compare-1thread.md"
	@echo "make scaling         kitnet on 1, 2, 4, ... threads"
	@echo "make footprint       the size of the wheel, the time of an import, the page faults of training"
	@echo "make sanitize        the kernel tests under AddressSanitizer and UndefinedBehaviorSanitizer"
	@echo "make wheel           sdist, and the wheel built from it, in dist/"

train: $(VENV)/plot.installed
	$(VENV)/bin/kitnet train --out runs/digits

test: export KITNET_REQUIRE_COMPILED = 1
test: $(VENV)/test.installed
	$(VENV)/bin/python -P -m pytest tests

test-parity: export KITNET_REQUIRE_COMPILED = 1
test-parity: $(PEERS)/parity.installed
	$(PEERS)/bin/python -P -m pytest tests/parity

conformance: export KITNET_REQUIRE_COMPILED = 1
conformance: $(VENV)/test.installed
	$(VENV)/bin/python -P tests/onnx_cases.py

test-packaging: $(VENV)/dev.installed
	$(VENV)/bin/python -P -m pytest tests/packaging -m packaging

lint: $(VENV)/dev.installed
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" cython-lint kitnet
	$(VENV)/bin/mypy

bench: export KITNET_REQUIRE_COMPILED = 1
bench: $(VENV)/dev.installed
	mkdir -p benchmarks/results
	$(VENV)/bin/python -P -m pytest benchmarks --benchmark-json=benchmarks/results/bench.json

compare: export KITNET_REQUIRE_COMPILED = 1
compare: $(PEERS)/peers.installed
	$(PEERS)/bin/python benchmarks/compare.py $(if $(THREADS),--threads $(THREADS) --name compare-$(THREADS)thread)

scaling: export KITNET_REQUIRE_COMPILED = 1
scaling: $(VENV)/dev.installed
	$(VENV)/bin/python benchmarks/scaling.py

footprint: export KITNET_REQUIRE_COMPILED = 1
footprint: wheel
	$(VENV)/bin/python benchmarks/footprint.py

wheel: $(VENV)/dev.installed
	rm -rf dist
	$(VENV)/bin/python -m build

# Flags only in the recipe: as target-specific variables they would reach the prerequisites too.
# -P and PYTHONPATH: the instrumented build is imported, neither the installed package nor the source tree.
SANITIZE := build/sanitize
SANITIZERS := -fsanitize=address,undefined
sanitize: $(VENV)/dev.installed
	CFLAGS="-O1 -g -fno-omit-frame-pointer $(SANITIZERS) -fno-sanitize-recover=undefined" LDFLAGS="$(SANITIZERS)" \
	KITNET_REQUIRE_EXT=1 $(VENV)/bin/python setup.py --quiet build --build-base $(SANITIZE) --build-lib $(SANITIZE)/lib
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
	ASAN_OPTIONS=detect_leaks=0 PYTHONPATH=$(SANITIZE)/lib KITNET_REQUIRE_COMPILED=1 \
	$(VENV)/bin/python -P -m pytest tests/kernels/test_contracts.py -p no:cacheprovider

clean:
	rm -rf build dist *.egg-info $(VENV) $(PEERS)

# Installing: kitnet with one extra, anew whenever a source changed. pip builds in build/, which keeps the compiled
# kernels between calls; everything else in it is deleted first, so that no deleted module is installed again.
# Where the command needs them, a kernel that does not compile is an error.
define install
	find build -path 'build/lib*' -type f ! -name '*.so' -delete 2>/dev/null || true
	$(1)/bin/python $(PIP) install ".[$(2)]"
	touch $@
endef

$(VENV)/plot.installed: $(SOURCES) | $(VENV)/bin/python
	$(call install,$(VENV),plot)

$(VENV)/test.installed: export KITNET_REQUIRE_EXT = 1
$(VENV)/test.installed: $(SOURCES) | $(VENV)/bin/python
	$(call install,$(VENV),test$(comma)onnx)

$(VENV)/dev.installed: $(SOURCES) | $(VENV)/bin/python
	$(call install,$(VENV),dev)

$(PEERS)/peers.installed: export KITNET_REQUIRE_EXT = 1
$(PEERS)/peers.installed: $(SOURCES) | $(PEERS)/bin/python
	$(call install,$(PEERS),bench$(comma)peers)

$(PEERS)/parity.installed: export KITNET_REQUIRE_EXT = 1
$(PEERS)/parity.installed: $(SOURCES) | $(PEERS)/bin/python
	$(call install,$(PEERS),test$(comma)parity)

comma := ,

%/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "kitnet needs Python >= 3.11: make PYTHON=python3.11 (or newer) ..." >&2; exit 1; }
	@$(PYTHON) -m venv $* || { rm -rf $*; \
		echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
