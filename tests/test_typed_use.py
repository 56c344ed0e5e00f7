"""Strict type checkers find nothing in a user's program but its mistakes, all of them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = (ROOT / "tests" / "typed_use.py").read_text(encoding="utf-8")
IGNORE = re.compile(r"  # type: ignore\[.*\]$", re.MULTILINE)
MISTAKES = {
    ("program.py", number)
    for number, line in enumerate(PROGRAM.splitlines(), 1)
    if IGNORE.search(line)
}
COMPLAINT = re.compile(r"^ *(\S+\.py):(\d+)(?::\d+ -|:) (?:error|warning):", re.MULTILINE)
PYRIGHT = {"typeCheckingMode": "strict", "extraPaths": [str(ROOT)], "include": ["program.py"]}


@pytest.fixture
def project(tmp_path) -> Path:
    """A folder with the program, which hides no mistake, and no settings but those of the test."""
    (tmp_path / "program.py").write_text(IGNORE.sub("", PROGRAM), encoding="utf-8")
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(PYRIGHT))
    return tmp_path


def require_mistakes(project: Path, *command: str) -> None:
    """A checker complains of every mistake, and of nothing else."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = {(Path(file).name, int(line)) for file, line in COMPLAINT.findall(done.stdout)}
    assert found == MISTAKES, done.stdout + done.stderr


@pytest.mark.slow
def test_mypy(project):
    """For which dfsynth is an installed library, known by its py.typed."""
    require_mistakes(project, "mypy", "--strict", "--cache-dir=cache", "program.py")


@pytest.mark.slow
def test_pyright(project):
    require_mistakes(project, "pyright", "--pythonpath", sys.executable)
