"""The versions that are tried are those that are claimed, with what the lock names."""

import sys
from pathlib import Path

import pytest
from other_pythons import LEFT_OUT, TESTS, TOOLS, claimed_versions, find_python, lock_of, needed

ROOT = Path(__file__).parents[2]
LOCK = """
# via pip-compile
alpha-one==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:ab
    # via beta
beta==2.0 \\
    --hash=sha256:ba
    # via gamma
"""


def test_versions_are_read_from_the_classifiers():
    pyproject = """
    [project]
    classifiers = [
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.14",
        "Typing :: Typed",
    ]
    """
    assert claimed_versions(pyproject) == ["3.11", "3.14"]


def test_the_running_python_is_found_and_one_that_nobody_has_is_not():
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert find_python(version) is not None
    assert find_python("3.999") is None


def test_an_interpreter_that_fails_or_is_another_version_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    stand_in = tmp_path / "python3.998"
    for script in ("exit 127", "echo 3.11 /usr/bin/python3.11"):
        stand_in.write_text(f"#!/bin/sh\n{script}\n")
        stand_in.chmod(0o755)
        assert find_python("3.998") is None


def test_entries_are_taken_whole_and_alone():
    assert lock_of({"beta"}, LOCK) == "beta==2.0 \\\n    --hash=sha256:ba\n"
    assert lock_of({"alpha-one"}, LOCK).count("--hash") == 2


def test_a_package_that_the_lock_lacks_is_named():
    with pytest.raises(ValueError, match=r"lacks gamma; run make lock"):
        lock_of({"beta", "gamma"}, LOCK)


def test_needs_are_followed_to_their_end_without_pytorch():
    names = needed(["torchmetrics"])
    # torchmetrics → lightning-utilities → packaging, none of them named by dfsynth.
    assert {"torchmetrics", "lightning-utilities", "packaging"} <= names
    assert not names & LEFT_OUT


def test_the_lock_has_all_that_these_tests_need():
    locked = lock_of(needed(TOOLS), (ROOT / "requirements.lock").read_text())
    assert locked.count("==") == len(needed(TOOLS))


def test_the_listed_tests_are_there():
    assert all((ROOT / path).exists() for path in TESTS)
