"""``medimg serve --page`` in a real browser: the whole way, by keyboard too; who is let in; what the browser keeps."""

from __future__ import annotations

import re
import signal
import ssl
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import trustme
import zxingcpp
from chrome import AXE, PROGRAM, Chrome
from page_kit import Served, certificate, drawn, serving
from release_kit import answered, call
from sheets_kit import run_folder

from medimg.cli.release import release
from medimg.engine.batch import NO_HOOKS
from medimg.errors import Interrupted, UsageError
from medimg.policy import Policy
from medimg.run.register import Register
from medimg.run.request import RunRequest
from medimg.serve.page import cleaning, qr
from medimg.serve.page import desk as desks
from medimg.serve.page.routes import Door
from medimg.serve.page.stand import Wanted
from medimg.types import NOTHING_KNOWN, KnownValues

NAME, KNOWN = "ZZMARKERNAME", "Qqknownperson"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as here:
        yield here


def test_a_phone_is_let_in_over_tls_alone_and_told_where_its_photos_go(tmp_path: Path) -> None:
    authority = trustme.CA()
    chain, key = certificate(authority, tmp_path)
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    with serving(tmp_path, chain, key) as here:
        assert here.address.startswith("https://127.0.0.1:")
        origin = here.bare.rpartition("/")[0].rpartition("/")[0]
        with pytest.raises(httpx.HTTPError):
            httpx.get(here.bare.replace("https", "http"))
        with httpx.Client(base_url=here.bare, headers={"origin": origin}, verify=trusted, timeout=60) as phone:
            wrong = {"origin": origin.replace("https", "http")}
            assert phone.post("open", content=f'"{here.key}"', headers=wrong).status_code == 403
            answer = phone.post("open", content=f'"{here.key}"')
            assert "secure" in answer.headers["set-cookie"].lower()
            assert phone.get("choices").json()["lan"] is True
            assert "nowhere else" in phone.get("").text
            assert "Nothing leaves" not in phone.get("").text


def test_the_code_for_a_phone_says_the_address() -> None:
    address = Door("192.168.1.20:8443", secured=True).address
    rows = [line.removeprefix("\x1b[30;47m").removesuffix("\x1b[0m") for line in qr.lines(address)]
    halves = {" ": (255, 255), "\u2580": (0, 255), "\u2584": (255, 0), "\u2588": (0, 0)}
    pixels = np.array([[halves[c][half] for c in row] for row in rows for half in (0, 1)], np.uint8)
    assert max(len(row) for row in rows) <= 80
    assert zxingcpp.read_barcode(np.kron(pixels, np.ones((6, 6), np.uint8))).text == address


def test_only_who_brings_the_key_first_is_let_in_and_only_from_the_page(served: Served) -> None:
    with served.client() as stranger:
        for path in ("stand", "choices", "copy/P01-001", "share/P01-001.png", "record"):
            assert stranger.get(path).status_code == 401
        assert stranger.post("open", content=b'"wrong"').status_code == 401
        assert httpx.get(served.bare.rsplit("/", 2)[0] + "/").status_code == 404  # the path is part of the secret
        assert stranger.get("", headers={"host": "evil.example:80"}).status_code == 421
    with served.client(origin="http://127.0.0.1:9") as elsewhere:
        assert elsewhere.post("open", content=f'"{served.key}"').status_code == 403
    with served.client() as first:
        page = first.get("")
        assert page.status_code == 200
        for header, words in (
            ("cache-control", "no-store"),
            ("content-security-policy", "default-src 'none'"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
        ):
            assert words in page.headers[header]
        answer = first.post("open", content=f'"{served.key}"')
        assert answer.status_code == 204
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert f"path={served.bare[served.bare.index('/', 8) :].lower()}" in cookie
        assert first.get("stand").json()["step"] == "drop"
        for origin in ({"origin": "null"}, {"origin": "http://localhost:1"}):
            assert first.post("again", headers=origin).status_code == 403
        assert first.post("photos", content=b"", headers={"x-photo-name": "a"}).status_code == 400
        assert first.post("photos", content=b"x" * 6_000_001, headers={"x-photo-name": "a"}).status_code == 413
        nothing = first.post("clean", content=b'{"audience": "closed-group"}')
        assert nothing.status_code == 400  # no photo was dropped
        assert first.post("decide", content=b'{"photo": "P01-001", "do": "cover"}').status_code == 400
        assert first.post("give", content=b'{"act": "x"}').status_code == 400
    with served.client() as second:
        assert second.post("open", content=f'"{served.key}"').status_code == 401  # it opens once
        assert second.get("stand").status_code == 401


@pytest.mark.parametrize(
    "name",
    [
        *("../../../etc/passwd", "..", "\x00a", "\u4e2d" * 300),
        *(pytest.param(n, marks=pytest.mark.long) for n in ("..\\..\\x.png", "/etc/x", ".hidden", "", "x" * 400)),
    ],
)
def test_no_name_of_a_photo_leads_out_of_its_folder(served: Served, name: str, tmp_path: Path) -> None:
    drawn(tmp_path / "a.png", 1, 32, 24)
    before = {p for p in tmp_path.rglob("*") if p.is_file()}
    with served.client() as first:
        first.post("open", content=f'"{served.key}"')
        sent = "".join(f"%{b:02X}" for b in name.encode())
        added = first.post("photos", content=(tmp_path / "a.png").read_bytes(), headers={"x-photo-name": sent})
        assert added.status_code == 200
        assert added.json() == 0
    new = {p for p in tmp_path.rglob("*") if p.is_file()} - before
    assert all("medimg-scratch-" in str(p) for p in new)


def test_names_that_are_one_file_on_some_disks_are_two_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there: list[str] = []

    def scrub(request: RunRequest, **_: object) -> None:
        there.extend(p.name for folder in request.photos for p in folder.iterdir())
        raise Interrupted("stopped")

    monkeypatch.setattr(cleaning, "scrub_folder", scrub)
    desk = desks.Desk(tmp_path, Policy.load(), Register(tmp_path / "register"), NO_HOOKS, 1)
    try:
        for name in ("wound.jpg", "WOUND.JPG", "w/Wound.jpg", "\u00e9.jpg", "E\u0301.jpg"):
            desk.add(name, b"x")
        desk.starts()
        desk.clean(Wanted(audience="closed-group", where=("AU",)))
    finally:
        desk.close()
    assert len({unicodedata.normalize("NFC", name).casefold() for name in there}) == 5


def test_nothing_but_the_released_copy_is_handed_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register.sqlite"))
    folder = tmp_path / "medimg-R7Q4"
    run_folder(folder, {"P01": 2})
    answered(folder, tmp_path)
    call(release, folder, "--yes", "--to", "the hand group")
    desk = desks.Desk(tmp_path, Policy.load(), Register(), NO_HOOKS, 1)
    try:
        desk._run = folder
        one, other = folder / "share" / "P01-001.jpg", folder / "share" / "P01-002.jpg"
        assert desk.released(one.name) == one.read_bytes()
        private = tmp_path / "private.jpg"
        private.write_bytes(b"somebody else")
        one.write_bytes(b"Rawiri Ngata")
        other.unlink()
        other.symlink_to(private)
        for name in (one.name, other.name, "../private.jpg"):
            with pytest.raises(UsageError):
                desk.released(name)
    finally:
        desk.close()


def test_what_is_known_of_a_patient_goes_to_the_checks_and_stays_for_copies_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def scrub(request: RunRequest, hooks: object) -> object:
        asked.append(request.known)
        raise Interrupted("stopped")

    monkeypatch.setattr(cleaning, "scrub_folder", scrub)
    desk = desks.Desk(tmp_path, Policy.load(), Register(tmp_path / "register"), NO_HOOKS, 1)
    try:
        desk.add("a.png", b"x")
        desk.starts()
        known = KnownValues(names=(KNOWN,), numbers=("123",), dates=("1 May 1960",))
        desk.clean(Wanted(audience="closed-group", names=known.names, numbers=known.numbers, dates=known.dates))
        assert asked == [known]
        desk.again()
        desk.add("a.png", b"x")
        desk.starts()
        desk.clean(Wanted(audience="closed-group", where=("AU",)))
        assert asked[1] == NOTHING_KNOWN  # of the patient before nothing is left
    finally:
        desk.close()


def test_nobody_withdraws_who_was_not_released(served: Served, tmp_path: Path) -> None:
    drawn(tmp_path / "a.png", 1, 200, 200)
    with served.client() as first:
        first.post("open", content=f'"{served.key}"')
        assert first.post("withdraw", content=b'{"patient": "P01"}').status_code == 400
        first.post("photos", content=(tmp_path / "a.png").read_bytes(), headers={"x-photo-name": "a.png"})
        assert first.post("clean", content=b'{"audience": "closed-group"}').status_code == 200
        end = time.monotonic() + 200
        while first.get("stand").json()["step"] != "look":
            assert time.monotonic() < end
            time.sleep(0.5)
        for patient in ("P01", "P09", "../P01"):
            refused = first.post("withdraw", content=f'{{"patient": "{patient}"}}')
            assert refused.status_code == 400
            assert refused.json()["what"] == "nothing of this patient was released."
    assert Register(served.work / "register").entries() == []


def test_what_the_page_offers_for_an_area_is_the_one_list_and_nothing_else_is_taken(
    served: Served, tmp_path: Path
) -> None:
    drawn(tmp_path / "a.png", 5, 320, 240)
    with served.client() as first:
        first.post("open", content=f'"{served.key}"')
        first.post("photos", content=(tmp_path / "a.png").read_bytes(), headers={"x-photo-name": "a.png"})
        assert first.post("clean", content=b'{"audience": "closed-group"}').is_success
        end = time.monotonic() + 200
        while (stand := first.get("stand").json())["step"] != "look":
            assert time.monotonic() < end, stand
            time.sleep(0.2)
        box = b'{"photo": "P01-001", "do": "cover", "box": [40, 30, 100, 60]}'
        assert first.post("decide", content=box).is_success
        (area,) = (a for a in first.get("stand").json()["photos"][0]["photo"]["areas"] if a["by"] == "person")
        assert area["choices"] == [{"choice": "shown", "words": "Show it"}]
        chosen = '{{"photo": "P01-001", "do": "choose", "area": {}, "choice": "{}"}}'
        assert first.post("decide", content=chosen.format(area["number"], "face-alone").encode()).status_code == 400
        assert first.post("decide", content=chosen.format(area["number"], "shown").encode()).is_success
        after = first.get("stand").json()["photos"][0]["photo"]["areas"][area["number"] - 1]
        assert (after["do"], [c["choice"] for c in after["choices"]]) == ("keep", ["cover"])


def test_no_two_scripts_of_the_page_share_a_name() -> None:
    """They have one scope: of two functions with one name the later counts, wherever the other was meant."""
    words = [line for script in Path(qr.__file__).parent.glob("*.js") for line in script.read_text().splitlines()]
    found = [m.group(1) for line in words if (m := re.match(r"(?:async )?(?:function|const|let|class) (\w+)", line))]
    assert len(found) > 60
    assert sorted(found) == sorted(set(found))


PRESS = "document.querySelector('#act button[data-key=\"{}\"]').click()"


def answer(page: Chrome) -> list[str]:
    """Go through the acts as somebody to whom all is well; the titles that were shown."""
    typed = {"name": "Hand group", "role": "registrar", "to": "the hand group", "date": "2026-11-20", "filed": "record"}
    shown: list[str] = []
    while (
        title := page.until("document.querySelector('#act h2') && document.querySelector('#act h2').textContent")
    ) != ("Nothing is left to answer"):
        assert len(shown) < 60, shown
        shown.append(title)
        for name, words in typed.items():
            page.run(f"document.querySelectorAll('#act input[name={name}]').forEach(i => {{ i.value ||= {words!r}; }})")
        if title.startswith("Look at"):
            look(page)
        key = {"What applies?": "0", "Allowed by": "1"}.get(title, "y")
        place = page.run("document.querySelector('#act p').textContent")
        page.run(PRESS.format(key))
        page.until(
            "document.body.getAttribute('aria-busy') === null && (document.querySelector('#act h2').textContent !== "
            f"{title!r} || document.querySelector('#act p').textContent !== {place!r})"
        )
    return shown


def look(page: Chrome) -> None:
    """Look at all of a copy by the keyboard; until then nobody can say that they did."""
    disabled = "document.querySelector('#act button[data-key=\"y\"]').disabled"
    page.until("document.querySelector('#picture').complete && document.querySelector('#picture').naturalWidth")
    assert page.run(disabled) is True
    for _ in range(80):
        if not page.run(disabled):
            break
        page.run("document.activeElement.blur()")
        page.key("n", ord("N"))
        time.sleep(0.8)
    assert page.run("document.querySelector('#seen').textContent") == "All of it was on the screen at full size."


@pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed")
def test_from_dropped_photos_to_downloaded_copies_and_nothing_stays_in_the_browser(
    served: Served, tmp_path: Path
) -> None:
    photos = [tmp_path / f"{NAME}{n}.png" for n in (1, 2)]
    for n, path in enumerate(photos):
        drawn(path, n, 1300, 900)
    profile, downloads = tmp_path / "profile", tmp_path / "downloads"
    downloads.mkdir()
    page = Chrome(profile)
    try:
        page.size(1200, 800)
        page.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
        page.go(served.address)
        page.until("!document.querySelector('#drop').hidden")
        assert page.run("location.href") == served.bare  # the key is gone from the address
        assert page.run("document.cookie") == ""
        page.put("#files", *photos)
        page.until("document.querySelectorAll('#dropped li').length === 2")
        page.run(f"document.querySelector('#names').value = '{KNOWN}, Someone Else'")
        page.run("document.querySelector('#where').value = 'AU'; document.querySelector('#clean').click()")
        page.until("!document.querySelector('#look').hidden", 400)
        shown = answer(page)
        assert [t for t in shown if t.startswith("Look at")] == ["Look at P01-001", "Look at P01-002"]
        (run,) = (served.work / "out").iterdir()
        copies = sorted((run / "share").iterdir())
        assert [p.name for p in copies] == ["P01-001.png", "P01-002.png"]
        marks = [p.read_bytes()[200:264] for p in (*photos, *copies)]
        assert [e.event for e in Register(served.work / "register").entries()] == ["released"]
        page.run("document.querySelector('#downloads a').click()")
        end = time.monotonic() + 60
        while not (kept := [p for p in downloads.iterdir() if p.suffix == ".png"]):
            assert time.monotonic() < end
            time.sleep(0.1)
        assert [p.read_bytes() for p in kept] == [copies[0].read_bytes()]
        for width in (1200, 400) if AXE else ():
            page.size(width)
            assert page.barriers() == []
        page.run("document.querySelector('#who').closest('details').open = true")
        assert page.run("document.querySelector('#who').value") == "P01"
        page.run("document.querySelector('#withdraw').click()")
        page.until("!document.querySelector('#withdrawn').hidden")
        assert list((run / "share").iterdir()) == []
        assert "Hand group" in page.run("document.querySelector('#noted').textContent")
        assert "Please delete" in page.run("document.querySelector('#letter').textContent")
        page.until("document.querySelector('#done').hidden")
        assert [e.event for e in Register(served.work / "register").entries()] == ["released", "withdrawn"]
        for width in (1200, 400) if AXE else ():
            page.size(width)
            assert page.barriers() == []
        asked: list[str] = [
            e["params"]["request"]["url"] for e in page.events if e["method"] == "Network.requestWillBeSent"
        ]
        assert asked
        assert [u for u in asked if not u.startswith((served.bare, "blob:", "data:"))] == []
        assert [e for e in page.events if e["method"] in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled")] == []
        faults: list[Any] = [e["params"]["entry"]["text"] for e in page.events if e["method"] == "Log.entryAdded"]
        assert faults == []
        (cookie,) = page.call("Network.getCookies", urls=[served.bare])["cookies"]
        assert cookie["httpOnly"]
        session = cookie["value"]
    finally:
        page.close()
    for path in profile.rglob("*"):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            assert not any(m in data for m in marks), path.name
            assert session.encode() not in data, path.name  # the key may lie in the history: it opens nothing any more
            assert KNOWN.encode() not in data, path.name
            assert KNOWN.encode("utf-16-le") not in data, path.name
    written = b"".join(p.read_bytes() for p in (served.work / "out").rglob("*") if p.is_file())
    assert KNOWN.encode() not in written


@pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed")
def test_a_box_by_numbers_is_covered_and_what_was_seen_has_to_be_seen_again(served: Served, tmp_path: Path) -> None:
    drawn(tmp_path / "a.png", 3, 600, 400)
    page = Chrome(tmp_path / "profile")
    try:
        page.size(1200, 900)
        page.go(served.address)
        page.until("!document.querySelector('#drop').hidden")
        if AXE:
            assert page.barriers() == []
        page.put("#files", tmp_path / "a.png")
        page.until("!document.querySelector('#clean').disabled")
        page.run("document.querySelector('#clean').click()")
        page.until("!document.querySelector('#look').hidden", 400)
        page.until("document.querySelector('#seen').textContent.startsWith('All of it')")
        for width, scheme in ((1200, "light"), (1200, "dark"), (400, "light")) if AXE else ():
            page.size(width)
            page.media("", scheme)
            assert page.barriers() == []
        page.size(1200)
        for field, value in zip(("bx", "by", "bw", "bh"), (40, 30, 200, 120), strict=True):
            page.run(f"document.querySelector('#{field}').value = {value}")
        page.run("document.querySelector('#cover-numbers').click()")
        page.until("document.querySelector('#areas').textContent.includes('covered')", 400)
        assert not page.run("document.querySelector('#trouble').textContent")
        page.until(  # the pixels of the copy that is shown
            """(() => { const i = document.querySelector('#picture'); if (!i.complete || !i.naturalWidth) return false;
            const c = document.createElement('canvas'); c.width = i.naturalWidth; c.height = i.naturalHeight;
            const g = c.getContext('2d'); g.drawImage(i, 0, 0); const d = g.getImageData(60, 50, 160, 80).data;
            return d.every((v, k) => v === d[k % 4]); })()"""
        )
    finally:
        page.close()


def test_the_command_listens_on_this_computer_alone_and_prints_one_address(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "medimg", "serve", "--page", str(tmp_path / "out")]
    for more, words in (
        (["--host", "0.0.0.0"], "this computer"),
        (["--token-file", "x"], "--page takes"),
        (["--metadata-only"], "--page takes"),
        (["--certificate", "c", "--key", "k"], "--page takes"),
        (["--lan"], "--lan needs TLS"),
        (["--lan", "--certificate", "c", "--key", "k"], "address of this computer on the network"),
        (["--lan", "--certificate", "c", "--key", "k", "--host", "ward.example"], "address of this computer"),
        (["--lan", "--certificate", "c", "--key", "k", "--host", "0.0.0.0"], "address of this computer"),
    ):
        refused = subprocess.run([*line, *more], capture_output=True, text=True, timeout=600)
        assert refused.returncode == 2
        assert words in refused.stderr
    running = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert running.stdout is not None
    try:
        address = running.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{22}/#[\w-]{43}", address)
        end = time.monotonic() + 60
        while True:
            try:
                assert httpx.get(address.rsplit("/", 2)[0] + "/").status_code == 404
                break
            except httpx.ConnectError:
                assert time.monotonic() < end
                time.sleep(0.2)
    finally:
        running.send_signal(signal.SIGINT)
        assert running.wait(100) == 0
        running.stdout.close()
