"""A library that is not installed is one line that says what to install."""

import math

import pytest

from dfsynth.errors import UsageError
from dfsynth.extras import load_extra


def test_what_is_there_is_given() -> None:
    assert load_extra("math", "counting", "all") is math


def test_a_missing_library_is_named_with_what_to_install() -> None:
    with pytest.raises(UsageError, match=r"counting needs .* no_such_library.*dfsynth\[simulate\]"):
        load_extra("no_such_library.part", "counting", "simulate")


def test_a_module_of_ours_that_is_missing_is_no_matter_of_extras() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"dfsynth\.no_such_module"):
        load_extra("dfsynth.no_such_module", "counting", "all")
