"""A store without one finished image says whether it is to be waited for."""

from pathlib import Path

import pytest
from toy_generator import ToyMaker

import dfsynth
from dfsynth.errors import UsageError
from dfsynth.jobs.build import run_build
from dfsynth.jobs.empty_store import nothing_finished
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent


@pytest.fixture
def failed(tmp_path: Path) -> Path:
    """A finished store, of whose two images none could be made."""
    images = tmp_path / "images"
    images.mkdir()
    for name in ("a.png", "b.png"):
        (images / name).write_bytes(b"no image")
    run_build(BuildOptions(str(images), tmp_path / "x.zarr", size=(16, 16)), ToyMaker(), Silent())
    return tmp_path / "x.zarr"


def test_nobody_is_told_to_wait_for_a_store_that_is_finished(failed: Path, tmp_path: Path) -> None:
    said = r"x\.zarr holds no finished image: all 2 images failed; why: dfsynth info "
    with pytest.raises(UsageError, match=said):
        dfsynth.draw_contact_sheet(failed, out=tmp_path / "x.png")
    with pytest.raises(UsageError, match=said):
        dfsynth.export(failed, tmp_path / "out", to="png")
    assert not (tmp_path / "x.png").exists()
    assert not (tmp_path / "out").exists()
    dfsynth.write_report(failed, out=tmp_path / "report")
    html = (tmp_path / "report" / "index.html").read_text()
    assert "Every one of the images failed: the reasons are below." in html
    assert "let the build commit a shard" not in html


def test_a_store_that_goes_on_is_to_be_waited_for() -> None:
    assert "let the build commit a shard" in nothing_finished("x.zarr", 2, 1)
    assert "the one image failed" in nothing_finished("x.zarr", 1, 1)
