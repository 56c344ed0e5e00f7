"""The page on error codes is what the codes say of themselves."""

from pathlib import Path

import pytest
from error_codes_page import page

from dfsynth.errors import ErrorCode

PAGE = Path(__file__).parents[2] / "docs" / "error-codes.md"


def test_the_committed_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make reference"


@pytest.mark.parametrize("code", ErrorCode)
def test_a_code_is_its_text_and_says_what_to_do(code):
    assert str(code) == code.value
    assert ErrorCode(code.value) is code  # type: ignore[call-arg]  # a look-up, not `__new__`
    for sentence in (code.meaning, code.remedy):
        assert sentence[0].isupper()
        assert not sentence.endswith(".")
