# SPDX-License-Identifier: MIT
# The commands of refchain. `make demo` and `make test` work on a bare Debian or Ubuntu with python3,
# a C compiler and make: what else they need they install (tools/bootstrap.sh). CONTRIBUTING.md
# says more. PYTHON=... chooses the interpreter, CC=... the compiler.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHON CC
export REFCHAIN_BENCH := $(CURDIR)/build/c/rch_bench
export REFCHAIN_FINDPY := $(CURDIR)/build/c/findpy
export REFCHAIN_IMAGE_LAB := $(CURDIR)/build/c/image_lab
export REFCHAIN_MAKE_RCH := $(CURDIR)/build/c/make_rch
export REFCHAIN_WORK_LAB := $(CURDIR)/build/c/work_lab
export REFCHAIN_SHOW_IMAGE := $(CURDIR)/build/c/show_image
export REFCHAIN_SITTER := $(CURDIR)/build/c/sitter
export RCH_GRAPHLAB := $(CURDIR)/build/c/graphlab.so
ifeq ($(origin CC),default)
CC := cc
endif
STRICT := build/c -Dwerror=true
SANITIZE := -Db_sanitize=address,undefined
PYTEST_ARGS ?=
BENCH_ARGS ?=
PERFORMANCE_ARGS ?=
FUZZ_SECONDS ?= 60

.NOTPARALLEL:
.PHONY: help build demo test check c-build c-tests instruction-counts asan-c-tests py-tests test-all test-sid \
        test-free-threaded test-asan test-targets test-browser test-rabbitmq test-sarif test-objgraph lint format \
        bench performance fuzz clean

help:
	@echo 'make demo           build, run a program that leaks sockets, ask refchain why'
	@echo 'make test           style, layers, C tests, the same under sanitizers, Python tests'
	@echo '                    RCH_SAMPLES=25 make test: live processes five times as often (slow)'
	@echo 'make build          build and install into .venv: .venv/bin/refchain, import refchain'
	@echo 'make test-all       Python tests on every CPython 3.9 to 3.15 found here (slow)'
	@echo 'make test-sid       on 3.14 and 3.15 in a Debian sid made by debootstrap (root, slow)'
	@echo 'make test-asan      Python tests with the extension under ASan and UBSan (slow)'
	@echo 'make test-targets   every kind of process, 25 samples, read by a program under ASan (slow)'
	@echo 'make test-free-threaded  processes of a CPython 3.13 without the GIL, built here (slow)'
	@echo 'make test-browser   the pictures in Chromium, light and dark, and with dot and xdot'
	@echo 'make test-sarif     SARIF against the standard and its validator (npm; network)'
	@echo 'make test-rabbitmq  the celery leak and the hung run, against a real RabbitMQ (slow)'
	@echo "make test-objgraph  objgraph's own suite, downloaded, against refchain.objgraph (network)"
	@echo 'make lint, format   clang-tidy and ruff; clang-format and ruff, in place'
	@echo 'make instruction-counts  has an analysis become slower? Part of make test'
	@echo 'make bench, fuzz    ratios against gc, objgraph, guppy3; the fuzz targets'
	@echo 'make performance    docs/performance.md anew: made graphs, capture, other tools (slow)'
	@echo 'make clean          remove build/ and the virtual environments'

build:
	@tools/bootstrap.sh .venv build
	@tools/install.sh .venv

demo: build
	@mkdir -p build
	@.venv/bin/python demo/leaky_app.py build/demo.rch
	@echo
	@echo '$$ .venv/bin/refchain why build/demo.rch Transport'
	@.venv/bin/refchain why build/demo.rch Transport

test:
	@tools/bootstrap.sh .venv build test lint
	@$(MAKE) --no-print-directory --keep-going check c-tests instruction-counts asan-c-tests py-tests

check:
	@tools/bootstrap.sh .venv build test lint
	python tools/check_layers.py
	tools/check_style.sh

c-build:
	@tools/bootstrap.sh .venv build test lint
	@tools/ctest.sh --build $(STRICT)

c-tests:
	@tools/bootstrap.sh .venv build test lint
	tools/ctest.sh $(STRICT)

instruction-counts: c-build
	@python bench/instructions.py $(REFCHAIN_BENCH)

asan-c-tests:
	@tools/bootstrap.sh .venv build test lint
	tools/ctest.sh build/c-asan -Dpython=disabled $(SANITIZE)

py-tests: build c-build
	python -m pytest $(PYTEST_ARGS)

test-all: c-build
	@tools/test_all.sh $(PYTEST_ARGS)

test-sid:
	@tools/test_sid.sh $(PYTEST_ARGS)

test-free-threaded: build c-build
	tools/free_threaded.sh
	python -m pytest tests/py/test_free_threaded.py tests/py/test_outside.py tests/py/test_find.py \
	    tests/py/test_gen_layout.py $(PYTEST_ARGS)

test-targets: build c-build
	tools/ctest.sh --build build/c-asan -Dpython=disabled $(SANITIZE)
	RCH_SAMPLES=25 REFCHAIN_BIN=$(CURDIR)/build/c-asan/refchain \
	    python -m pytest tests/py/test_targets.py $(PYTEST_ARGS)

test-asan: c-build
	@tools/bootstrap.sh .venv-asan build test
	@tools/install.sh .venv-asan $(SANITIZE) -Dbuildtype=debugoptimized
	@tools/pytest_asan.sh -m 'not slow' $(PYTEST_ARGS)

test-browser: build c-build
	python -m pytest -rs -m browser tests/live
	python -m pytest -rs tests/py/test_picture.py

test-sarif: build c-build
	npm install --silent --no-audit --no-fund --ignore-scripts --prefix build/sarif \
	    @microsoft/sarif-multitool-linux@5.7.0
	python -m pytest -rs -m sarif tests/live

test-rabbitmq:
	@tools/bootstrap.sh .venv-rabbitmq build test rabbitmq
	@tools/install.sh .venv-rabbitmq
	.venv-rabbitmq/bin/python -m pytest -rs -m rabbitmq tests/live

test-objgraph: build
	@tools/test_objgraph.sh

lint:
	@tools/bootstrap.sh .venv build test lint
	tools/check_style.sh --tidy

format:
	@tools/bootstrap.sh .venv build test lint
	tools/check_style.sh --fix

bench: build
	@.venv/bin/python bench/run.py $(BENCH_ARGS)

performance: build
	-@tools/bootstrap.sh .venv bench
	@.venv/bin/python bench/performance.py $(PERFORMANCE_ARGS)

fuzz:
	@tools/bootstrap.sh .venv build
	@tools/fuzz.sh $(FUZZ_SECONDS)

clean:
	rm -rf build .venv .venv-*
