#!/bin/bash
# The Windows wheel under Wine: doctor, the tests of system/, the fixtures compared with Linux's; `make test-windows`.
#
#   release/wine/test.sh DEST [BIN]        DEST: the folder of setup.sh; BIN: the programs of the Linux environment
#
# Skips with a reason, and status 0, where Wine cannot be had. Wine is not Windows: docs/install.md.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
dest=$(readlink -m "$1") bin=$(readlink -m "${2:-.venv/bin}") here=release/wine

skip() { echo "skipped: $*"; exit 0; }
[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || skip "the setup is for Debian on amd64."
[ "$(id -u)" = 0 ] || command -v wine >/dev/null || skip "Wine is not installed, and only root may install it."
if ! PYTHON=${PYTHON:-$bin/python} "$here/setup.sh" "$dest"; then skip "the Windows Python could not be made (see above)."; fi

# Made anew each time: a wheel of yesterday would be tested for today's code.
make build/tools/.made
build/tools/bin/python release/wheels.py --out "$dest/wheel" --only win_amd64 --no-sdist
wheel=$(ls "$dest"/wheel/medimg-*-win_amd64.whl)
site=$dest/python/Lib/site-packages
rm -rf "$site/medimg" "$site"/medimg-*.dist-info
"$bin/python" -m zipfile -e "$wheel" "$site"

work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cp "$here/compare.py" tests/system/test_host.py tests/system/test_windows.py "$work"
"$bin/python" fixtures/make.py "$work/photos" >/dev/null
cd "$work"
wpy() { "$dest/wpy" "$@"; }
# cleaned NAME COMMAND...: a run into the folder NAME; 10 and 11 mean that a person still has to look.
cleaned() { local code=0; "${@:2}" clean photos -o "$1" --keep-key --workers 1 ${light:-} >/dev/null || code=$?
            [ "$code" = 10 ] || [ "$code" = 11 ] || { echo "$1 ended with $code"; exit 1; }; }

echo "== doctor"; wpy -m medimg doctor | grep -v '^ok '
echo "== tests of system/"; wpy -B -m pytest -q -p no:cacheprovider test_host.py test_windows.py
for light in --metadata-only ""; do
  echo "== fixtures ${light:-in full}"
  cleaned "wine$light" wpy -m medimg
  cleaned "linux$light" "$bin/medimg"
  "$bin/python" compare.py "linux$light" "wine$light"
done
echo "passed under $(wine --version), $(date -u +%Y-%m-%d)"
