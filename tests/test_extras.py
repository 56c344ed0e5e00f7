"""A library that is not installed is one line that says what to install."""

import math
import sys

import pytest

from dfsynth.errors import UsageError
from dfsynth.extras import load_extra, require_library


def test_what_is_there_is_given() -> None:
    assert load_extra("math", "counting", "all") is math


def test_a_missing_library_is_named_with_what_to_install() -> None:
    with pytest.raises(UsageError, match=r"counting needs .* no_such_library.*dfsynth\[simulate\]"):
        load_extra("no_such_library.part", "counting", "simulate")


def test_a_module_of_ours_that_is_missing_is_no_matter_of_extras() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"dfsynth\.no_such_module"):
        load_extra("dfsynth.no_such_module", "counting", "all")


def test_a_library_is_looked_for_without_being_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "this", raising=False)
    require_library("this", "reading", "all")
    assert "this" not in sys.modules
    words = r"counting needs .* no_such_library, .*dfsynth\[simulate\]"
    with pytest.raises(UsageError, match=words):
        require_library("no_such_library", "counting", "simulate")
    monkeypatch.setitem(sys.modules, "this", None)
    with pytest.raises(UsageError, match="library this, which is not installed"):
        require_library("this", "reading", "all")
