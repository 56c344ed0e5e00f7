"""`dfsynth doctor`: what it says of a sound installation, and of each kind of broken one."""

import json
import socket
from collections.abc import Callable, Sequence
from importlib.metadata import requires
from pathlib import Path

import numpy as np
import pytest

from dfsynth.doctor import libraries, self_test
from dfsynth.doctor.self_test import BLOCKS, MAPS, TOLERANCES, expected_maps, run_self_test
from dfsynth.records import Generated, ModelInput
from dfsynth.source import find_corpus

RunCli = Callable[..., tuple[int, str, str]]
COMMAND = ("doctor", "--device", "cpu", "--precision", "fp32")


class Drawn:
    """A generator of maps whose means of blocks are those of the file, and `error`."""

    def __init__(self, error: float) -> None:
        document = json.loads(expected_maps().read_text())
        self._maps = [
            np.kron(np.asarray(document[name]) + error, np.ones((4, 4))).astype(np.float32)
            for name in MAPS
        ]

    def auto_batch_size(self, _grid: tuple[int, int]) -> int:
        return 2

    def generate(self, inputs: Sequence[ModelInput], _ids: Sequence[str]) -> list[Generated]:
        dark_field, aleatoric, epistemic = self._maps
        return [Generated(dark_field, aleatoric, epistemic, lung=None) for _ in inputs]


@pytest.fixture
def error(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The error of a generator that takes no time."""
    made = [0.0]
    load = self_test._load
    monkeypatch.setattr(self_test, "_load", lambda *_: (Drawn(made[0]), load("cpu", "fp32")[1]))
    monkeypatch.setattr("dfsynth.doctor.examination.SELF_TEST_S", 0.01)
    return made


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sentence is wrapped."""
    monkeypatch.setenv("COLUMNS", "1000")


def needs(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(libraries, "requires", lambda _: list(lines))


def test_the_packaged_generator_gives_what_is_written_down() -> None:
    found = run_self_test("cpu", "fp32", 1000, 0.0)
    assert found.passed
    assert found.largest_difference < TOLERANCES["fp32"] / 5
    assert (found.images, found.batch_size) == (1, 1)
    assert found.projected_seconds == pytest.approx(1000 * found.seconds)


def test_a_sound_installation_is_told_without_names(
    run_cli: RunCli, error: list[float], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("HOME", "/home/jane")
    status, out, err = run_cli(*COMMAND, "--out", tmp_path / "x.zarr", "--json")
    assert (status, err) == (0, "self-test: about 0 seconds\n")
    found = json.loads(out)
    assert found["problems"] == []
    names = {each["name"] for each in found["libraries"]}
    assert {"torch", "zarr", "h5py"} <= names
    assert {each["name"] for each in found["extras"]} >= {"ray", "s3", "simulate", "train"}
    assert found["self_test"]["passed"] is True
    assert found["self_test"]["projected_images"] == find_corpus("nih").size.images == 112120
    assert found["machine"]["why"] == "fp32, as asked for"
    assert found["free_bytes"] > 0
    for name in (str(tmp_path), "/home", str(Path(__file__).parents[2])):
        assert name not in out
    assert "all is well" in run_cli(*COMMAND)[1]


@pytest.mark.parametrize("wrong", [1.0, float("nan"), 2 * TOLERANCES["fp32"]])
def test_other_maps_than_expected_are_a_problem(
    run_cli: RunCli, error: list[float], wrong: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    error[0] = wrong
    status, out, _ = run_cli(*COMMAND)
    assert status == 1
    assert "not as expected" in out
    assert "problem: self-test: the maps differ by" in out
    assert "all is well" not in out


def test_lines_fit_the_terminal(
    run_cli: RunCli, error: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    error[0] = 1.0
    _, out, _ = run_cli(*COMMAND)
    assert all(len(line) <= 60 for line in out.splitlines())


def test_a_broken_pytorch_is_a_problem_of_its_own(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs(monkeypatch)
    monkeypatch.setattr(
        "dfsynth.doctor.examination.load_problem", lambda _: "it cannot be loaded: OSError: x"
    )
    status, out, _ = run_cli(*COMMAND)
    assert status == 1
    assert "problem: torch: it cannot be loaded: OSError: x; reinstall it" in out
    assert "remark: dfsynth runs from a source tree" in out


def test_a_damaged_checkpoint_is_a_problem(
    run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(self_test, "CHECKPOINT", "nobody")
    status, out, _ = run_cli(*COMMAND)
    assert status == 1
    assert "problem: self-test: it ended with UsageError: no checkpoint 'nobody'" in out


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("no-such-library>=1.5", "no-such-library: it is not installed, expected >=1.5; run: "),
        ("numpy>=99", "was found, expected >=99; run: pip install --upgrade 'numpy>=99'"),
    ],
)
def test_a_library_that_does_not_suit_is_a_problem(
    run_cli: RunCli,
    error: list[float],
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    says: str,
) -> None:
    needs(monkeypatch, "torch>=2.6", line)
    status, out, _ = run_cli(*COMMAND)
    assert status == 1
    assert says in out
    assert out.count("problem: ") == 1


def test_a_library_that_cannot_be_loaded_is_named_without_its_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = f"raise ImportError('{tmp_path}/libx.so.1: cannot open shared object file')"
    (tmp_path / "broken_library_of_a_test.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    found = libraries.load_problem(["broken_library_of_a_test"])
    assert found == ("it cannot be loaded: ImportError: libx.so.1: cannot open shared object file")


def test_extras_come_with_what_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    needs(
        monkeypatch,
        *('numpy>=1; extra == "good"', 'no-such>=2; extra == "bad"', "h5py>=3"),
        'numpy>=1; extra == "bad"',
    )
    monkeypatch.setattr(
        libraries, "metadata", lambda _: type("", (), {"get_all": lambda *_: ["bad", "good"]})()
    )
    bad, good = libraries.find_extras()
    assert (bad.name, bad.present, bad.missing) == ("bad", False, ("no-such>=2",))
    assert bad.install == "pip install 'dfsynth[bad]'"
    assert (good.name, good.present, good.missing) == ("good", True, ())


def test_all_that_an_installation_needs_is_looked_at() -> None:
    needed = [line for line in requires("dfsynth") or [] if "extra ==" not in line]
    found = libraries.find_libraries()
    assert len(found) == len(needed) > 10
    assert [each for each in found if each.problem] == []


def test_where_nobody_may_write_is_a_problem(
    run_cli: RunCli, error: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dfsynth.doctor.examination._is_writable", lambda _: False)
    status, out, _ = run_cli(*COMMAND)
    assert status == 1
    assert "problem: --out: this user may not write there" in out


@pytest.mark.parametrize(
    "wrong", [("--images", "0"), ("--device", "cuda:99"), ("--precision", "fp64")]
)
def test_wrong_options_are_wrong_usage(
    run_cli: RunCli, error: list[float], wrong: tuple[str, str]
) -> None:
    status, out, err = run_cli("doctor", *wrong)
    assert (status, out) == (2, "")
    assert err.startswith("error: ")


def test_what_is_expected_is_no_empty_picture() -> None:
    document = json.loads(expected_maps().read_text())
    assert set(document) == set(MAPS)
    for name in MAPS:
        blocks = np.asarray(document[name])
        assert blocks.shape == (BLOCKS, BLOCKS)
        assert blocks.max() > 5 * TOLERANCES["fp32"]
        assert blocks.min() >= 0
