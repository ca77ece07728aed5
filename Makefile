# `make demo` sets everything up and cleans the fixtures; `make test` runs the tests. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# Images of containers often set it: then every process, of thousands, compiles all of medimg anew.
export PYTHONDONTWRITEBYTECODE :=

# The first Python of 3.11 or newer that really starts (a version manager may list some that do not).
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13; do \
  "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
DEMO ?= demo-out

# Debian packages: what the main job uses, and what only the tests use besides.
APT_RUN := tesseract-ocr gcc libc6-dev libgl1 libglib2.0-0
APT_WINDOW := xvfb xdotool openbox libegl1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 \
  libxcb-render-util0 libxcb-image0
APT_TEST := libimage-exiftool-perl chromium dcmtk dicom3tools poppler-utils libjpeg-turbo-progs desktop-file-utils strace fuse3 ntfs-3g \
  $(APT_WINDOW)
# Carries axe-core (MPL-2.0), which the browser tests ask about barriers; its playwright (another browser) is not wanted.
AXE := axe-playwright-python==0.1.8
DEV := -e '.[demo,dev]'
# $(call apt,PACKAGES): install them where apt is there and permitted, else say what to install.
define apt
missing=""; for p in $(1); do dpkg -s "$$p" >/dev/null 2>&1 || missing="$$missing $$p"; done; \
if [ -n "$$missing" ]; then \
  if command -v apt-get >/dev/null && { [ "$$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then \
    echo "Installing with apt-get:$$missing ..."; \
    sudo=""; [ "$$(id -u)" = 0 ] || sudo="sudo"; \
    $$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$missing >/dev/null \
      || echo "Some of these could not be installed:$$missing. medimg runs without them and says what it did not use."; \
  else \
    echo "Not installed:$$missing. To install: sudo apt-get install$$missing"; \
    echo "medimg runs without Tesseract (with one reader instead of two) and says so."; \
  fi; \
fi
endef

# $(call install,ARGUMENTS): by uv, in less than half of pip's time; where uv cannot, by pip, which knows other indexes.
define install
{ $(BIN)/python -m pip install -q --disable-pip-version-check --retries 0 --timeout 10 uv && \
  UV_HTTP_TIMEOUT=10 UV_HTTP_RETRIES=0 $(BIN)/uv pip install -q --compile-bytecode --python $(BIN)/python $(1); } 2>/dev/null || \
  $(BIN)/python -m pip install -q --disable-pip-version-check $(1)
endef

.PHONY: help demo test lint types-linux types-win32 types-darwin test-wheel test-long test-many test-peers test-all coverage test-oldest test-newest test-windows test-container check bench fuzz valgrind dist wheels matrix app strings docs lock changelog release clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/bin/python:
	@[ -n "$(PYTHON)" ] || { echo "medimg needs Python 3.11 or newer. On Debian 12: sudo apt-get install python3 python3-venv"; exit 3; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { rm -rf $(VENV); $(call apt,python3-venv); $(PYTHON) -m venv $(VENV); }

$(VENV)/.run: pyproject.toml | $(VENV)/bin/python
	@$(call apt,$(APT_RUN))
	@echo "Installing medimg into $(VENV) ..."
	@$(call install,-e '.[demo]')
	@touch $@

$(VENV)/.dev: $(VENV)/.run Makefile
	@echo "Installing what the tests need ..."
	@{ $(call apt,$(APT_TEST)); } & debian=$$!; \
	  $(call install,$(DEV)); $(call install,--no-deps '$(AXE)'); wait $$debian
	@touch $@

demo: $(VENV)/.run ## set up everything, draw the fixture photos, clean them, say where the report is
	@rm -rf fixtures/out $(DEMO)
	@$(BIN)/python fixtures/make.py fixtures/out/photos
	@# 10 and 11 mean that a person still has to look and answer: that is how a first run ends.
	@$(BIN)/medimg clean fixtures/out/photos -o $(DEMO) --where AU || { code=$$?; [ $$code = 10 ] || [ $$code = 11 ] || exit $$code; }
	@echo "Here the command is $(BIN)/medimg; 'pipx install .' puts it on your PATH."

# The window's random acts are as many as the minutes allow: 60 for one seed here, 670 for three in
# `make test-all`. The dear files come first (tests/conftest.py), so that none runs alone at the end. Three processes
# on two cores: many tests wait for others, a window or a limit of time.
QUICK := -n 3 --dist loadfile --no-loadscope-reorder -m 'not long'
test: $(VENV)/.dev ## every test but the long ones
	@MEDIMG_ACTS=60 $(BIN)/python -m pytest $(QUICK)

test-wheel: dist ## the built wheel in an empty environment: the main job of the README
	@$(BIN)/python release/check_wheel.py "$$(ls -t dist/medimg-*.whl | head -n 1)" --extras

coverage: $(VENV)/.dev ## what share of the statements `make test` runs, over all processes: docs/release.md
	@rm -rf build/coverage
	@MEDIMG_ACTS=60 $(BIN)/coverage run -m pytest $(QUICK)
	@$(BIN)/coverage combine -q && $(BIN)/coverage report
	@$(BIN)/python tests/coverage_rooms.py

test-long: $(VENV)/.dev ## the tests that `make test` leaves out
	@$(call apt,orthanc orthanc-dicomweb)
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m long --timeout 1800
	@$(BIN)/python -m pytest tests/desktop/test_acts.py

test-many: $(VENV)/.dev ## 100,000 photos in one run
	@$(BIN)/python benchmarks/batch.py small --items 100000

test-peers: $(VENV)/.dev ## other tools on the same pictures: docs/comparison.md
	@$(BIN)/python -m benchmarks.compare

LONG := test coverage test-long app test-windows test-container test-oldest test-newest valgrind test-many test-peers fuzz
test-all: ## everything, for many hours; what fails does not stop the rest: docs/release.md
	@failed=""; for part in $(LONG); do echo "== $$part"; $(MAKE) --no-print-directory $$part || failed="$$failed $$part"; done; \
	  [ -z "$$failed" ] || { echo "failed:$$failed"; exit 1; }

test-container: ## the image of deploy/, built without a registry and tried without a network; as root
	@$(call apt,debootstrap buildah podman runc curl)
	@deploy/try.sh

# $(call versions,NAME,RESOLUTION): the tests that depend most on the packages, in a virtual environment of their own.
define versions
$(BIN)/python -m pip install -q --disable-pip-version-check uv
rm -rf build/$(1)
$(BIN)/uv venv -q --python $(BIN)/python build/$(1)
$(BIN)/uv pip install -q --python build/$(1)/bin/python --resolution $(2) -e '.[pdf,desktop,cluster,serve,fhir,demo]'
$(BIN)/uv pip install -q --python build/$(1)/bin/python 'pytest>=9' 'pytest-timeout>=2.3' 'httpx>=0.28'
build/$(1)/bin/python -m pytest tests/system/test_nothing_leaves.py tests/system/test_planted.py tests/project/test_fixtures.py
endef

test-oldest: $(VENV)/.dev ## what leaves the computer, planted code and the fixtures, with the oldest packages allowed
	@$(call versions,oldest,lowest-direct)

test-newest: $(VENV)/.dev ## the same with the newest packages allowed; raise a bound of pyproject.toml, then this
	@$(call versions,newest,highest)

SYSTEMS := linux win32 darwin
check: lint $(SYSTEMS:%=types-%) ## lint, layers, types for Linux, Windows and macOS

lint: $(VENV)/.dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

$(SYSTEMS:%=types-%): types-%: $(VENV)/.dev
	@echo "mypy for $*" && $(BIN)/mypy --platform $* --cache-dir .mypy_cache/$* # a cache knows one system

bench: $(VENV)/.dev ## the timing tables of docs/benchmarks.md
	@$(BIN)/python benchmarks/run.py

FUZZ_SECONDS ?= 600
valgrind: $(VENV)/.dev ## fifty random acts in the window under valgrind: no memory that was freed is read or written
	@$(call apt,valgrind)
	@MEDIMG_VALGRIND=1 $(BIN)/python -m pytest tests/desktop/test_acts.py::test_fifty_acts_under_valgrind -q -s

fuzz: $(VENV)/.dev ## fuzz every parser, FUZZ_SECONDS each
	@$(BIN)/python -m pip install -q --disable-pip-version-check atheris
	@for target in tests/fuzz/fuzz_*.py; do echo "== $$target"; mkdir -p build/fuzz; \
	  (cd build/fuzz && ../../$(BIN)/python ../../$$target -max_total_time=$(FUZZ_SECONDS)); done

dist: $(VENV)/.dev ## the wheel
	@$(BIN)/python -m pip install -q --disable-pip-version-check build && $(BIN)/python -m build --wheel

# What makes the wheels of other platforms: Zig's compiler carries the C library of each.
build/tools/.made: | $(VENV)/bin/python
	@$(BIN)/python -m venv build/tools
	@build/tools/bin/python -m pip install -q --disable-pip-version-check build 'hatchling>=1.27' 'pip>=24' uv 'ziglang==0.17.1'
	@touch $@

wheels: build/tools/.made $(VENV)/.dev ## the wheels of every platform and the source archive, checked, in build/wheels
	@build/tools/bin/python release/wheels.py

matrix: build/tools/.made ## for which systems and versions of Python there are wheels of everything: docs/install.md
	@build/tools/bin/python release/matrix.py

test-windows: $(VENV)/.dev ## under Wine: a Windows Python is made, the wheel for Windows installed, the fixtures cleaned as on Linux
	@release/wine/test.sh build/wine $(BIN)

app: $(VENV)/.dev ## the packed program in build/app/medimg, and a try of it: docs/install.md
	@# Debian's Python is one file without its library, which PyInstaller packs.
	@$(call apt,libpython$(shell $(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo 3.11) libxcb-cursor0)
	@$(BIN)/python -m pip install -q --disable-pip-version-check 'pyinstaller>=6.11,<7' -e '.[pdf,desktop]'
	@$(BIN)/pyinstaller --noconfirm --log-level ERROR --distpath build/app --workpath build/app-work release/app.spec
	@$(BIN)/python release/try_app.py build/app/medimg

strings: $(VENV)/.dev ## bring the catalogues of medimg/words up to date with the words in the code: docs/architecture.md
	@$(BIN)/python release/strings.py

docs: $(VENV)/.dev ## the documentation as a site, in build/site
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[docs]'
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict && echo "build/site/index.html"

lock: $(VENV)/.dev ## release/lock.txt: the dependencies of the core and pdf, with their hashes
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv
	@$(BIN)/uv pip compile -q pyproject.toml --extra pdf --generate-hashes --no-header --no-emit-index-url \
	  --no-emit-find-links --python-version 3.11 --python-platform x86_64-manylinux_2_28 -o release/lock.txt

changelog: $(VENV)/.dev ## fragments in changes/ become the entry of VERSION in CHANGELOG.md
	@$(BIN)/python -m pip install -q --disable-pip-version-check towncrier
	@$(BIN)/towncrier build $(if $(VERSION),--yes --version $(VERSION),--draft --version next)

release: $(VENV)/.dev ## wheels, hashes, notices, bill of materials, documentation: docs/release.md; TESTS=no to try it
	@release/make.sh $(BIN) $(TESTS)

clean: ## remove what the above made
	@rm -rf $(VENV) $(DEMO) fixtures/out build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
