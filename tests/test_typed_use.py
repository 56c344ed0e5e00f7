"""Strict type checkers find nothing in a user's program but its mistakes, all of them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYRIGHT = {
    "typeCheckingMode": "strict",
    "reportUnnecessaryTypeIgnoreComment": "error",
    "extraPaths": [str(ROOT)],
    "include": ["program.py"],
}


@pytest.fixture
def project(tmp_path) -> Path:
    """A folder with a program, and no settings but those of the test."""
    shutil.copy(ROOT / "tests" / "typed_use.py", tmp_path / "program.py")
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(PYRIGHT))
    return tmp_path


def check(project: Path, *command: str) -> str:
    """What a checker says of the program; it finds this dfsynth as a library, by its py.typed."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env={**os.environ, "MYPYPATH": str(ROOT), "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.slow
def test_mypy(project):
    # Of a library that is installed, mypy reports no error either.
    command = ("mypy", "--strict", "--follow-imports=silent", "--cache-dir=cache", "program.py")
    assert check(project, *command) == "Success: no issues found in 1 source file\n"
    program = project / "program.py"
    program.write_text(program.read_text().replace("  # type: ignore[arg-type]", ""))
    assert "program.py" in check(project, *command)


@pytest.mark.slow
def test_pyright(project):
    command = ("pyright", "--pythonpath", sys.executable)
    assert "0 errors, 0 warnings" in check(project, *command)
    program = project / "program.py"
    program.write_text(program.read_text().replace("  # type: ignore[arg-type]", ""))
    assert "reportArgumentType" in check(project, *command)
