#!/bin/bash
# The Windows wheel under Wine, beside the same on Linux; `make test-windows`. What is run: the headings below ("==").
#
#   release/wine/test.sh DEST [BIN]        DEST: the folder of setup.sh; BIN: the programs of the Linux environment
#
# What was on the screen stays in DEST/pictures. Skips with a reason, and status 0, where Wine cannot be had. Wine is not Windows: docs/install.md.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."
dest=$(readlink -m "$1") bin=$(readlink -m "${2:-.venv/bin}") here=release/wine

unset DISPLAY PYTHONPATH   # the window gets a screen of its own

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
cp "$here"/{compare,killed,disk_full,window}.py tests/system/test_host.py tests/system/test_windows.py "$work"
"$bin/python" fixtures/make.py "$work/photos" >/dev/null
cd "$work"
wpy() { "$dest/wpy" "$@"; }
registry() { WINEPREFIX=$dest/prefix WINEDEBUG=-all wine reg "$@" </dev/null 2>/dev/null | tr -d '\r'; }
server() { WINEPREFIX=$dest/prefix wineserver "$@"; }
# to_look COMMAND...: 10 and 11 mean that a person still has to look.
to_look() { local code=0; "$@" || code=$?; [ "$code" = 10 ] || [ "$code" = 11 ] || { echo "it ended with $code"; exit 1; }; }
# cleaned NAME COMMAND...: a run into the folder NAME.
cleaned() { to_look "${@:2}" clean photos -o "$1" --keep-key --workers 1 ${light:-} >/dev/null; }
alike() { "$bin/python" compare.py "$1" "$2"; }

echo "== doctor"; wpy -m medimg doctor | grep -v '^ok '
echo "== tests of system/"; wpy -B -m pytest -q -p no:cacheprovider test_host.py test_windows.py
for light in --metadata-only ""; do
  echo "== fixtures ${light:-in full}"
  cleaned "wine$light" wpy -m medimg
  cleaned "linux$light" "$bin/medimg"
  alike "linux$light" "wine$light"
done

# How many lines were told before the kill, and seconds more: before the list of photos, as it is there, at the photos.
for light in --metadata-only ""; do
  echo "== killed and resumed ${light:-in full}"
  moments=(0+2 0+5 1 1+0.1); [ -n "$light" ] || moments=(0+6 1 2+1 4+0.5 7)
  wpy -B killed.py photos "killed$light" "${moments[@]}" $light
  alike "linux$light" "killed$light"
done
echo "== everything ended at once, and resumed"
wpy -m medimg clean photos -o ended --keep-key --workers 2 --json-lines >ended.txt & running=$!
for _ in {1..600}; do [ "$(grep -c '"event":"photo"' ended.txt)" -ge 2 ] && break; sleep 0.5; done
server --kill; wait $running || true
to_look wpy -m medimg clean photos -o ended --keep-key --workers 2 --resume >/dev/null
alike linux ended

echo "== disk full, then room, and resumed"
mkdir small
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=1m tmpfs small 2>/dev/null; then
  umount small
  ln -sfn "$work/small" "$dest/prefix/dosdevices/y:"
  "$bin/python" disk_full.py small small photos linux--metadata-only "$bin/medimg" | sed 's/^/Linux  /'
  "$bin/python" disk_full.py small Y: photos linux--metadata-only "$dest/wpy" -m medimg | sed 's/^/Wine   /'
  rm "$dest/prefix/dosdevices/y:"
else
  echo "skipped: no file system may be mounted here."
fi

echo "== entry in the menu of a photo or a folder"
key='HKCU\Software\Classes\Directory\shell\medimg'
wpy -m medimg desktop --install | grep -c HKEY_CURRENT_USER
registry query "$key" /s | grep . | tee entry.txt
grep -q 'Make copies for sharing' entry.txt; grep -q 'python.exe" -P -m medimg desktop "%1"' entry.txt
wpy -m medimg desktop --uninstall | grep -c HKEY_CURRENT_USER
if registry query "$key"; then echo "it is still there"; exit 1; fi

echo "== window: dropped, checked, looked at, answered, released"
rm -rf "$dest/pictures"
QT_QPA_PLATFORM=offscreen "$bin/python" -B window.py photos/plain.jpg linux-window linux-pictures 2>/dev/null >linux.txt
server --wait
if command -v xvfb-run >/dev/null; then
  xvfb-run -a -s "-screen 0 1280x900x24" "$dest/wpy" -B window.py photos/plain.jpg wine-window "$dest/pictures" | tr -d '\r' >wine.txt
else
  echo "without a screen: Xvfb is not installed"
  QT_QPA_PLATFORM=offscreen wpy -B window.py photos/plain.jpg wine-window "$dest/pictures" | tr -d '\r' >wine.txt
fi
diff linux.txt wine.txt; cat wine.txt
! registry query 'HKCU\Software\QtProject' /s | grep -i file: || { echo "a dialog left a folder in the registry"; exit 1; }
echo "passed under $(wine --version 2>/dev/null), $(date -u +%Y-%m-%d)"
