#!/usr/bin/env bash
# Cut a release into build/release/; docs/release.md says what each step is for. $1: the programs of the environment;
# $2: "no" leaves out the tests, to try the rest, and says so in what it makes.
set -euo pipefail
bin=$(realpath "$1")
cd "$(dirname "$0")/.."
out=build/release
rm -rf "$out" && mkdir -p "$out"
step() { echo "== $1"; }

step "1 the tree: nothing uncommitted, the change log cut, the lock as it would be made now"
make lock
[ -z "$(git status --porcelain)" ] || { git status --short; echo "Commit this first."; exit 1; }
[ "$(ls changes)" = README.md ] || { echo "Cut the change log first: make changelog VERSION=X.Y.Z"; exit 1; }
version=$("$bin"/python -c 'import medimg; print(medimg.__version__)')
grep -q "^## $version, " CHANGELOG.md || { echo "CHANGELOG.md has no entry for $version."; exit 1; }

if [ "${2:-}" = no ]; then
  echo "medimg $version: made to try the steps; no test ran." >"$out/NOT-TESTED.txt"
else
  step "2 every test, lint, types, layers, the packed program"
  bash .ci/run
  make test-long app
fi

step "3 the wheel of every platform and the source archive"
"$bin"/python -m pip install -q --disable-pip-version-check cyclonedx-bom -e '.[docs]'
make build/tools/.made
build/tools/bin/python release/wheels.py --out "$out"
wheel=$(echo "$out"/medimg-*-manylinux*_x86_64.whl)

step "4 that wheel in empty environments: the README's main job, and every extra; the main job from the source archive"
"$bin"/python release/check_wheel.py "$wheel" --source "$out"/medimg-*.tar.gz

step "5 notices, bill of materials, known vulnerabilities"
# Notices and bill of materials describe an environment of what the lock names and nothing else.
env=$(mktemp -d)
trap 'rm -rf "$env"' EXIT
"$bin"/python -m venv "$env"
"$env"/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r release/lock.txt
"$env"/bin/python -m pip install -q --disable-pip-version-check --no-deps "$wheel"
"$env"/bin/python release/notices.py --extras pdf >"$out/THIRD-PARTY-NOTICES.txt"
"$bin"/cyclonedx-py environment --output-reproducible --of JSON -o "$out/medimg.cdx.json" "$env/bin/python"
cp release/lock.txt "$out"
build/tools/bin/python -m pip install -q --disable-pip-version-check pip-audit
build/tools/bin/python release/scan.py "$out"

step "6 the documentation"
NO_MKDOCS_2_WARNING=1 "$bin"/mkdocs build --strict
tar -C build -czf "$out/documentation.tar.gz" site
step "7 hashes"
(cd "$out" && sha256sum -- * >SHA256SUMS)
cat "$out"/NOT-*.txt 2>/dev/null || true
echo "$out"
