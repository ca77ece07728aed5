#!/bin/bash
# Build the image of deploy/ without a registry, and do the work of compose.yaml in it without a network. As root.
# Debian's base comes from debootstrap in the place of docker.io's image, which is made of the same packages.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
name=medimg-try-$$
trap 'podman rm -f "$name" >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
debootstrap --variant=minbase --include=ca-certificates bookworm "$work/root" >"$work/debootstrap.log"
# Where an organisation's own certificates or index stand between pip and PyPI, pip has to know them as well.
[ -z "${PIP_CERT:-}" ] || { cp "$PIP_CERT" "$work/root/etc/ssl/certs/ca-certificates.crt"
  printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' >"$work/root/etc/pip.conf"; }
base=$(buildah from scratch)
buildah add -q "$base" "$work/root" /
buildah commit -q "$base" docker.io/library/debian:12-slim
buildah rm "$base" >/dev/null
mkdir "$work/source" && git archive HEAD | tar -x -C "$work/source"
buildah build --isolation chroot --network host --pull-never -f deploy/Containerfile -t medimg "$work/source"

mkdir "$work"/{in,out,home,socket}
cp "${1:-docs/img/before-after.jpg}" "$work/in/photo.jpg"
openssl rand -hex 32 >"$work/token" && chmod 600 "$work/token" && chmod 711 "$work"
chown -R 10001:10001 "$work"/{in,out,home,socket,token}
locked=(--runtime runc --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 --network none --read-only --cap-drop ALL
  --security-opt no-new-privileges --shm-size 512m --memory 4g --tmpfs /tmp -v "$work/home:/var/lib/medimg")
podman run --rm "${locked[@]}" medimg doctor
code=0
podman run --rm "${locked[@]}" -v "$work/in:/inbox:ro" -v "$work/out:/out" medimg clean /inbox -o /out || code=$?
[ "$code" = 0 ] || [ "$code" = 10 ] || [ "$code" = 11 ] # a person still has to look and answer
podman run -d --name "$name" "${locked[@]}" -v "$work/socket:/run/medimg" -v "$work/token:/run/secrets/token:ro" \
  medimg serve --socket /run/medimg/medimg.sock --token-file /run/secrets/token >/dev/null
health='import socket; s = socket.socket(socket.AF_UNIX); s.connect("/run/medimg/medimg.sock"); s.sendall(b"GET /healthz HTTP/1.0\r\n\r\n"); assert b" 200 " in s.recv(64)'
for _ in $(seq 120); do podman exec "$name" python3 -c "$health" 2>/dev/null && break; sleep 0.5; done
status=$(curl -s --unix-socket "$work/socket/medimg.sock" -H "Authorization: Bearer $(cat "$work/token")" \
  -F photo=@"$work/in/photo.jpg" -o "$work/answer" -w '%{http_code}' http://medimg/v1/scrub)
[ "$status" = 200 ] || [ "$status" = 422 ] # a copy, or a reason
podman stop -t 45 "$name" >/dev/null
[ "$(podman inspect "$name" --format '{{.State.ExitCode}}')" = 0 ]
podman image inspect medimg --format 'As it should be; {{.Size}} bytes.'
