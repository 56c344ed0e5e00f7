"""Runs the tests that need no PyTorch under the other Python versions that pyproject.toml claims.

    python scripts/other_pythons.py

Start it with the Python of the project's own environment. Each version that is installed (on PATH,
or by pyenv) gets an environment `.venv-X.Y` with the packages of requirements.lock that these tests
need. PyTorch is left out: it comes from the same source for all versions, and takes gigabytes for
each where there is no build for CPU. The end says which versions were run and which were not found.
Exits with 1 if a test failed or an environment could not be made, and 0 if no other version was
found.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
# Tests that import no PyTorch; those that take a network are marked `torch` by tests/conftest.py.
# Of the jobs some: what kills processes does not differ between versions, and takes minutes.
TESTS = (
    "tests/checkpoint",
    "tests/decode",
    "tests/exports/test_dicom.py",
    "tests/exports/test_scale.py",
    "tests/files",
    "tests/jobs/test_bad_and_private_input.py",
    "tests/jobs/test_container_sources.py",
    "tests/jobs/test_export.py",
    "tests/jobs/test_pairs.py",
    "tests/jobs/test_planning_conflicts.py",
    "tests/jobs/test_retry_failed.py",
    "tests/jobs/test_verify.py",
    "tests/manifest",
    "tests/options",
    "tests/preprocess",
    "tests/report",
    "tests/score",
    "tests/source",
    "tests/store",
    "tests/tasks",
    "tests/test_architecture.py",
)
CHOSEN = "not slow and not exhaustive and not torch"
PYTEST = ("pytest", "-q", "-p", "no:cacheprovider", "-m", CHOSEN)
INSTALL = (
    "pip",
    "-q",
    "--disable-pip-version-check",
    "install",
    "--no-deps",
    "--require-hashes",
    "-r",
)
# What the tests need beside dfsynth's own dependencies.
TOOLS = (
    "SimpleITK",
    "dask",
    "fastparquet",
    "h5netcdf",
    "highdicom",
    "hypothesis",
    "jsonschema",
    "pandas",
    "polars",
    "pytest",
    "pytest-timeout",
    "scipy",
    "xarray",
)
LEFT_OUT = frozenset({"torch"})
LOCKED = re.compile(r"^([\w.-]+)==.*(?:\n    --hash=.*)+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one version: `log` ends with the summary line of pytest."""

    version: str
    passed: bool
    log: str


def claimed_versions(pyproject: str) -> list[str]:
    """The versions that the classifiers of a pyproject.toml name, such as 3.12."""
    classifiers = tomllib.loads(pyproject)["project"]["classifiers"]
    return [v for c in classifiers for v in re.findall(r"^Programming .* :: (3\.\d+)$", c)]


def find_python(version: str) -> str | None:
    """The path of an interpreter of that version; None where none is installed."""
    probe = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
    # Where pyenv is used, python3.12 on PATH is a stand-in that asks this variable.
    asked = {**os.environ, "PYENV_VERSION": version}
    try:
        done = subprocess.run(
            [f"python{version}", "-c", probe],
            capture_output=True,
            text=True,
            check=True,
            env=asked,
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    found, path = done.stdout.strip().split(" ", 1)
    return path if found == version else None


def needed(roots: Iterable[str]) -> set[str]:
    """The packages of this environment that `roots` need, themselves included, less LEFT_OUT."""
    found: set[str] = set()
    waiting = [canonicalize_name(name) for name in roots]
    while waiting:
        name = waiting.pop()
        if name in found or name in LEFT_OUT:
            continue
        try:
            requirements = [Requirement(text) for text in requires(name) or ()]
        except PackageNotFoundError:
            # For another system or Python than this one.
            continue
        found.add(name)
        waiting += [
            canonicalize_name(r.name)
            for r in requirements
            if r.marker is None or r.marker.evaluate({"extra": ""})
        ]
    return found


def lock_of(names: set[str], lock: str) -> str:
    """The entries of a lock file for the packages `names`.

    Raises:
        ValueError: the lock lacks one of them.
    """
    entries: dict[str, str] = {canonicalize_name(m[1]): m[0] for m in LOCKED.finditer(lock)}
    if lacking := sorted(names - entries.keys()):
        raise ValueError(f"requirements.lock lacks {', '.join(lacking)}; run make lock")
    return "\n".join(entries[name] for name in sorted(names)) + "\n"


def run_version(version: str, python: str, lock: str) -> Outcome:
    """Makes the environment of one version and runs the tests in it."""
    folder = ROOT / f".venv-{version}"
    inside = str(folder / "bin" / "python")
    steps = [
        [python, "-m", "venv", str(folder)],
        [inside, "-m", *INSTALL, str(folder / "tests.lock")],
        [inside, "-m", *PYTEST, *TESTS],
    ]
    folder.mkdir(exist_ok=True)
    (folder / "tests.lock").write_text(lock, encoding="utf-8")
    log = ""
    for step in steps:
        done = subprocess.run(
            step,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        log += done.stdout
        if done.returncode != 0:
            return Outcome(version, False, log)
    return Outcome(version, True, log)


def main() -> int:
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    pythons = {v: find_python(v) for v in claimed_versions(pyproject) if v != own}
    direct = [Requirement(r).name for r in tomllib.loads(pyproject)["project"]["dependencies"]]
    lock = lock_of(needed([*direct, *TOOLS]), (ROOT / "requirements.lock").read_text("utf-8"))
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        runs = [pool.submit(run_version, v, p, lock) for v, p in pythons.items() if p]
        outcomes = [run.result() for run in runs]
    for outcome in outcomes:
        last_line = outcome.log.rstrip().rsplit("\n", 1)[-1]
        print(f"Python {outcome.version}:", last_line if outcome.passed else f"\n{outcome.log}")
    for version in (v for v, path in pythons.items() if path is None):
        print(f"Python {version}: not found here, not run")
    return 0 if all(o.passed for o in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
