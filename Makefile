# `make demo` and `make test` from a bare clone; every target makes .venv on first use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Lines and branches, in per cent, that `make coverage` must reach over the whole suite.
COVERAGE_FLOOR ?= 95
# `make lock UPGRADE=--upgrade` takes the newest of everything, `UPGRADE="-P zarr"` of one package.
UPGRADE ?=

.NOTPARALLEL:
.PHONY: demo test check test-all exhaustive lint types docs figures reference pytest coverage ray pythons tools lock clean

# torch comes first and alone (constraints.txt says why); all else is what the lock names, by hash.
$(STAMP): pyproject.toml constraints.txt requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --no-deps --constraint constraints.txt torch
	$(PIP) install --quiet --no-deps --require-hashes --requirement requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	$(PIP) check
	touch $@

demo: $(STAMP)
	$(BIN)/python examples/demo.py demo-out

# Before each commit. pytest comes last, so that the last line is its summary.
test: lint types pytest

# Before a change is merged: also the slow tests, coverage and the documentation. CI, which has half
# an hour, runs `make docs test` and `make pythons`.
check: lint types docs coverage

# Before a release: also what takes longer than CI may.
test-all: lint types docs coverage exhaustive

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

docs: $(STAMP)
	$(BIN)/python -m sphinx --builder html --fail-on-warning --keep-going --quiet docs site

figures: $(STAMP)
	$(BIN)/python scripts/draw_architecture.py docs/images/architecture.svg

# The pages that are written from the code: commands and options, the schemas of `--json`, columns,
# error codes.
reference: $(STAMP)
	$(BIN)/python scripts/document_schemas.py docs/schemas
	$(BIN)/python scripts/command_reference.py docs/commands.md
	$(BIN)/python scripts/columns_page.py docs/columns.md
	$(BIN)/python scripts/error_codes_page.py docs/error-codes.md

# One process a core, each with one thread of PyTorch; the tests of a file stay together.
WORKERS ?= auto
SPREAD := --numprocesses=$(WORKERS) --dist=loadfile

pytest: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(SPREAD) -m "not slow and not exhaustive and not gpu"

exhaustive: $(STAMP)
	$(BIN)/python -m pytest -m exhaustive

coverage: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(SPREAD) --cov --cov-fail-under=$(COVERAGE_FLOOR) \
	    -m "not exhaustive$$($(BIN)/python -c 'import torch; print("" if torch.cuda.is_available() else " and not gpu")')"

# What needs Ray, in an environment of its own on top of .venv: its wheel is larger than all else.
ray: $(STAMP)
	$(PYTHON) -m venv .venv-ray
	$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" \
	    > "$$(.venv-ray/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/base.pth"
	.venv-ray/bin/python -m pip install --quiet --disable-pip-version-check \
	    --no-build-isolation --editable ".[ray]"
	.venv-ray/bin/python -m pytest tests/jobs/workers

# Programs that some tests compare files with: HDF5, netCDF and DICOM tools, a browser.
tools:
	scripts/install_tools.sh

# The other Python versions that pyproject.toml claims, as far as they are installed here.
pythons: $(STAMP)
	$(BIN)/python scripts/other_pythons.py

# pip must find a CPU build of torch (CONTRIBUTING.md): a CUDA build would pull NVIDIA's packages in.
lock:
	test -x $(BIN)/pip-compile || $(MAKE) $(STAMP)
	$(BIN)/pip-compile --quiet $(UPGRADE) --no-config --generate-hashes --strip-extras \
	    --extra=dev --all-build-deps --constraint=constraints.txt --unsafe-package=torch \
	    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
	    --output-file=requirements.lock pyproject.toml
	! grep --line-number nvidia requirements.lock

clean:
	rm -rf $(VENV) .venv-* demo-out site jupyter_execute
