# The commands: `make demo`, `make test` and `make bench`. README.md says what they run,
# CONTRIBUTING.md the others.
# Needs Python 3.12 or newer and make; the rest is installed into this folder.

PORT ?= 8000
# Much of the time is waiting for what was broken on purpose.
PYTEST_ARGS ?= -n 4 --dist loadfile --no-loadscope-reorder --max-worker-restart 1
CHAOS_SECONDS ?= 600
BENCH_ARGS ?=

# A `uv` that does not run (a shim of a version manager, say) counts as none.
UV := $(shell uv --version >/dev/null 2>&1 && command -v uv)
ifeq ($(UV),)
UV := .uv/bin/uv
export PATH := $(CURDIR)/.uv/bin:$(PATH)
endif
RUN := $(UV) run

.PHONY: demo test deep chaos lint newest picture bench clean

demo: .venv/.complete
	@$(RUN) python scripts/demo.py $(PORT)

test: .venv/.complete
	$(RUN) pytest $(PYTEST_ARGS)

# The same, on each server and chat client where `make test` takes turns, and at full
# length.
deep: .venv/.complete
	$(RUN) pytest $(PYTEST_ARGS) --deep

chaos: .venv/.complete
	CHAOS_SECONDS=$(CHAOS_SECONDS) $(RUN) pytest -s -o faulthandler_timeout=$$(($(CHAOS_SECONDS) + 900)) \
		tests/faults/test_chaos.py

lint: .venv/.complete
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy

newest: .venv/.complete
	@$(RUN) python scripts/newest.py

picture: .venv/.complete
	$(RUN) pytest --deep tests/documents/test_picture.py
	cp screenshots/two-browsers.webp docs/

bench: .venv/.complete
	@$(RUN) python -m benchmarks.run $(BENCH_ARGS)

clean:
	rm -rf .bench .demo .newest .uv .venv screenshots

.venv/.complete: pyproject.toml $(UV)
	@echo "Installing into this folder; the first time this takes a while."
	@$(UV) sync --quiet
	@touch $@

.uv/bin/uv:
	@python=$$(for p in python3 python3.13 python3.14 python3.12 python; do \
		$$p -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null \
		&& echo $$p && break; done); \
	test -n "$$python" || { echo "No Python 3.12 or newer was found." >&2; exit 1; }; \
	$$python -m venv .uv && .uv/bin/python -m pip install --quiet uv
