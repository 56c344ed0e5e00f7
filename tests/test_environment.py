"""What the environment is made of: the lock names all packages, by hash, and no place."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "requirements.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ENTRY = re.compile(r"^([\w.-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)
VERSIONS = {canonicalize_name(m[1]): m[2] for m in ENTRY.finditer(LOCK)}


def direct_requirements():
    """All that pyproject.toml names to run, develop and build, but torch, Ray and its extras."""
    project = PROJECT["project"]
    extras = [text for texts in project["optional-dependencies"].values() for text in texts]
    found = [*project["dependencies"], *extras, *PROJECT["build-system"]["requires"]]
    return [r for r in map(Requirement, found) if r.name not in {"dfsynth", "torch", "ray"}]


@pytest.mark.parametrize("requirement", direct_requirements(), ids=str)
def test_what_the_project_names_is_locked_in_a_version_that_fits(requirement):
    locked = VERSIONS.get(canonicalize_name(requirement.name))
    assert locked is not None, "run make lock"
    assert locked in requirement.specifier, "run make lock"


def test_every_entry_has_a_version_and_hashes():
    entries = [line for line in LOCK.splitlines() if line and line[0] not in " #"]
    assert len(entries) == len(VERSIONS) > 60


def test_the_lock_names_no_place_and_no_build_for_cuda():
    assert not re.search(r"://|--(extra-)?index-url|--find-links |(^|[\s=])/\w", LOCK)
    assert not [name for name in VERSIONS if name.startswith(("nvidia", "cuda", "triton"))]


def test_pytorch_has_a_pin_of_its_own():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    (pin,) = [Requirement(line) for line in lines if not line.startswith("#")]
    (wanted,) = [
        Requirement(t) for t in PROJECT["project"]["dependencies"] if t.startswith("torch>")
    ]
    (version,) = [s.version for s in pin.specifier if s.operator == "=="]
    assert pin.name == "torch"
    assert version in wanted.specifier
    assert "torch" not in VERSIONS


def test_the_citation_is_of_a_release_in_the_changelog():
    citation = (ROOT / "CITATION.cff").read_text()
    (version,) = re.findall(r"^version: (\S+)$", citation, re.MULTILINE)
    (day,) = re.findall(r"^date-released: (\S+)$", citation, re.MULTILINE)
    assert f"## {version} - {day}\n" in (ROOT / "CHANGELOG.md").read_text()
