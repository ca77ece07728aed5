#!/usr/bin/env bash
# Cut a release into build/release/; docs/release.md says what each step is for. $1: the programs of the environment.
set -euo pipefail
bin=$(realpath "$1")
cd "$(dirname "$0")/.."
out=build/release
rm -rf "$out" && mkdir -p "$out"

bash .ci/run
make test-long app
"$bin"/python -m pip install -q --disable-pip-version-check cyclonedx-bom -e '.[docs]'
make build/tools/.made
build/tools/bin/python release/wheels.py --out "$out"
wheel=$(echo "$out"/medimg-*-manylinux*_x86_64.whl)

"$bin"/python release/check_wheel.py "$wheel"

# Notices and bill of materials describe an environment of what the lock names and nothing else.
env=$(mktemp -d)
trap 'rm -rf "$env"' EXIT
"$bin"/python -m venv "$env"
"$env"/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r release/lock.txt
"$env"/bin/python -m pip install -q --disable-pip-version-check --no-deps "$wheel"
"$env"/bin/python release/notices.py --extras pdf >"$out/THIRD-PARTY-NOTICES.txt"
"$bin"/cyclonedx-py environment --output-reproducible --of JSON -o "$out/medimg.cdx.json" "$env/bin/python"
cp release/lock.txt "$out"

NO_MKDOCS_2_WARNING=1 "$bin"/mkdocs build --strict
tar -C build -czf "$out/documentation.tar.gz" site
(cd "$out" && sha256sum -- * >SHA256SUMS)
echo "$out"
