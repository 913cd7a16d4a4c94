# Every target makes .venv first, or reuses it; nothing else has to be there but python3 (3.11 or newer) and make.
# ARGS are handed on: make demo ARGS=--once, make test ARGS='tests/rules -x'

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test test-all check generate faults fuzz bench bench-instrument bench-ingest bench-memory bench-exposition bench-compile bench-accuracy bench-analyzer bench-day mutate
MAKEFLAGS += --no-print-directory
# Images set it to stay small; here every command of hundreds would compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
READY := .venv/.complete
# Tests wait for servers most of the time. ARGS='-n 0' has one process again, for a debugger.
WORKERS := -n 2 --dist worksteal
ARGS ?=

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 20

demo: $(READY) ## real models, real servers, one incident from cause to page (ARGS=--once ends after it)
	$(BIN)/airis-mon demo $(ARGS)

test: $(READY) ## tests against Debian's Prometheus and Alertmanager; under ten minutes on two cores
	$(BIN)/python -m pytest -p tests.ci_plugin $(WORKERS) -m 'not slow' $(ARGS)

test-all: $(READY) ## what `test` leaves out: newest servers (built once with Go), helm, wheel, demo on both versions
	.ci/test-all

check: $(READY) ## ruff, mypy and the architecture
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_architecture.py

generate: $(READY) ## write everything that is derived from sources: docs, schema, CRDs, artefacts of examples/
	$(BIN)/python -m docs.generate

faults: $(READY) ## a real sidecar under kill, EIO, full and slow disk, power cut, clock steps, and a ledger (ARGS="--trials 500 --seed 1 [--hours H] [--only FAULT]"); the last line is JSON
	$(BIN)/python -m tests.faults $(ARGS)

fuzz: $(READY) ## every decoder under a coverage-guided fuzzer (ARGS="--seconds 60 [TARGET]"); the last line is JSON
	$(BIN)/python -m tests.fuzz $(ARGS)

mutate: $(READY) ## every rule and route broken in every known way, and its proofs have to notice; minutes; the last line is JSON
	$(BIN)/python -m tests.mutation $(ARGS)

bench: $(READY) ## measured ratios against doing without; the last line is JSON
	$(BIN)/python -m benchmarks.run $(ARGS)

bench-instrument: $(READY) ## one instrumented operation beside prometheus-client by hand; the last line is JSON
	$(BIN)/python -m benchmarks.instrument $(ARGS)

bench-ingest: $(READY) ## events a second that the sidecar acknowledges after fdatasync; the last line is JSON
	$(BIN)/python -m benchmarks.ingest $(ARGS)

bench-memory: $(READY) ## memory of 100,000 series, ten million label values, overload; minutes; the last line is JSON
	$(BIN)/python -m benchmarks.memory $(ARGS)

bench-exposition: $(READY) ## 100,000 series as text, beside prometheus-client; the last line is JSON
	$(BIN)/python -m benchmarks.exposition $(ARGS)

bench-compile: $(READY) ## a thousand monitors built and proven, and one of them changed; minutes; the last line is JSON
	$(BIN)/python -m benchmarks.compile $(ARGS)

bench-accuracy: $(READY) ## how well the analyzer pages and forecasts, on public sets (ARGS="--data DIR [--sets NAB,MS,M4]"); minutes; the last line is JSON
	$(BIN)/python -m benchmarks.accuracy $(ARGS)

bench-analyzer: $(READY) ## series fitted and points scored a second, beside statsmodels, and a fleet of 10,000 on a real Prometheus (ARGS=--no-fleet); minutes; the last line is JSON
	$(BIN)/python -m benchmarks.analyzer $(ARGS)

bench-day: $(READY) ## a day of the demo's models judged on real servers and read back (ARGS="--prometheus BIN --victoria-metrics BIN"); minutes; the last line is JSON
	$(BIN)/python -m benchmarks.day $(ARGS)

$(READY): pyproject.toml requirements.lock .ci/environment
	@.ci/environment
