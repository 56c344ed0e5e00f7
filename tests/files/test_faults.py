"""What the system refuses becomes one line that says what to do."""

from pathlib import Path

import pytest

from dfsynth.errors import StoreError
from dfsynth.files.faults import is_there
from dfsynth.store import StoreLayout


def test_what_is_there_is_found(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    assert is_there(tmp_path)
    assert is_there(tmp_path / "x")
    assert not is_there(tmp_path / "y")
    assert not is_there(tmp_path / "x" / "y")


def test_a_look_that_is_refused_is_one_line(tmp_path: Path) -> None:
    refused = tmp_path / ("x" * 300)
    with pytest.raises(StoreError, match=r"cannot look for .*ENAMETOOLONG") as caught:
        is_there(refused)
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(StoreError, match="cannot look for "):
        _ = StoreLayout(refused).plan
