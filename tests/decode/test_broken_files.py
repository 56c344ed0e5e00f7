"""Every malformed or odd real file has the outcome that the table names."""

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

DATA = Path(__file__).parents[1] / "data" / "decode"
COMMITTED = DATA / "broken"
with (DATA / "broken_outcomes.csv").open(newline="") as _stream:
    EXPECTED = {row["file"]: row["outcome"] for row in csv.DictReader(_stream)}
NAMES = sorted(name for name in EXPECTED if (COMMITTED / name).exists())


def run_guarded(paths: list[Path]) -> dict[str, Mapping[str, object]]:
    """Outcome of every file, from a process of limited memory and processor time.

    A crash fails here, and so does a file that takes minutes.
    """
    pytest.importorskip("resource", reason="memory limits need a POSIX system")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("guarded_decode.py"))],
        input="".join(f"{path}\n" for path in paths),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"died after {rows[-1:]}: {done.stderr[-2000:]}"
    assert len(rows) == len(paths)
    return {row["file"]: row for row in rows}


def check(found: Mapping[str, Mapping[str, object]], folder: Path, names: list[str]) -> None:
    outcomes = {name: found[str(folder / name)]["outcome"] for name in names}
    assert outcomes == {name: EXPECTED[name] for name in names}
    assert max(int(str(row["grown_kb"])) for row in found.values()) < 500_000


@pytest.fixture(scope="module")
def found() -> dict[str, Mapping[str, object]]:
    return run_guarded([COMMITTED / name for name in NAMES])


def test_the_committed_files_are_all_in_the_table() -> None:
    files = {str(p.relative_to(COMMITTED)) for p in COMMITTED.rglob("*") if p.is_file()}
    assert files == set(NAMES)
    assert len(NAMES) >= 30


def test_no_file_is_there_to_bring_other_software_down() -> None:
    known = re.compile("bomb|crash|libpng|oom|oss-?fuzz|overflow|timeout")
    assert [name for name in EXPECTED if known.search(name)] == []


@pytest.mark.parametrize("name", NAMES)
def test_outcome(found: Mapping[str, Mapping[str, object]], name: str) -> None:
    row = found[str(COMMITTED / name)]
    assert row["outcome"] == EXPECTED[name], row["sentence"]


def test_no_file_takes_much_memory(found: Mapping[str, Mapping[str, object]]) -> None:
    check(found, COMMITTED, NAMES)


def test_sentences_say_what_to_do(found: Mapping[str, Mapping[str, object]]) -> None:
    for row in found.values():
        sentence = str(row["sentence"])
        if row["outcome"] != "ok":
            assert sentence.count(";") >= 1, sentence
            assert "\n" not in sentence
            assert not any(word in sentence for word in ("0x", "Error", "libpng", "opj_"))


@pytest.mark.slow
def test_the_whole_collection(shared_data: Path) -> None:
    folder = shared_data / "broken"
    names = sorted(EXPECTED)
    check(run_guarded([folder / name for name in names]), folder, names)
