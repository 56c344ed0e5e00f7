"""A build says beforehand what its maps and scores will not say."""

from dataclasses import replace
from pathlib import Path

import pytest
from radiograph_files import write_folder
from toy_generator import ToyMaker

from dfsynth.jobs.build import run_build
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent


class Heard(Silent):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def message(self, text: str) -> None:
        if text.startswith("warning: "):
            self.warnings.append(text)


@pytest.mark.parametrize(
    ("trained", "samples", "said"),
    [
        ((16, 16), 2, []),
        ((32, 32), 2, []),
        ((33, 16), 2, ["a grid of 16x16 is much smaller than the 33x16"]),
        ((16, 16), 1, ["one sample an image"]),
        ((64, 64), 1, ["one sample an image", "a grid of 16x16"]),
    ],
)
def test_what_will_stay_unknown_is_one_line_each(
    tmp_path: Path, trained: tuple[int, int], samples: int, said: list[str]
) -> None:
    images, maker, heard = write_folder(tmp_path / "images", 2), ToyMaker(), Heard()
    maker.facts = replace(maker.facts, grid=trained)
    options = BuildOptions(str(images), tmp_path / "x.zarr", size=(16, 16), mc_samples=samples)
    run_build(options, maker, heard)
    assert len(heard.warnings) == len(said)
    for line, start in zip(heard.warnings, said, strict=True):
        assert line.startswith(f"warning: {start}")


@pytest.mark.parametrize("samples", [1, 20])
def test_no_number_of_samples_is_advised_where_none_gives_a_spread(
    tmp_path: Path, samples: int
) -> None:
    images, maker, heard = write_folder(tmp_path / "images", 1), ToyMaker(), Heard()
    maker.facts = replace(maker.facts, has_dropout=False)
    options = BuildOptions(str(images), tmp_path / "x.zarr", size=(16, 16), mc_samples=samples)
    run_build(options, maker, heard)
    (line,) = heard.warnings
    assert line.startswith("warning: toy is one network without dropout: its map of epistemic")
    assert "--mc" not in line


def test_members_without_dropout_need_more_than_one_sample(tmp_path: Path) -> None:
    images, maker, heard = write_folder(tmp_path / "images", 1), ToyMaker(), Heard()
    maker.facts = replace(maker.facts, has_dropout=False, members=2)
    options = BuildOptions(str(images), tmp_path / "x.zarr", size=(16, 16), mc_samples=1)
    run_build(options, maker, heard)
    (line,) = heard.warnings
    assert "use --mc-samples 2 or more" in line


@pytest.mark.parametrize(("has_lung", "said"), [(True, "no lung"), (False, "maps may be far")])
def test_lungs_are_missed_only_by_a_generator_that_looks_for_them(
    tmp_path: Path, has_lung: bool, said: str
) -> None:
    facts = replace(ToyMaker().facts, grid=(64, 64), has_lung=has_lung)
    images, maker, heard = write_folder(tmp_path / "images", 1), ToyMaker(), Heard()
    maker.facts = facts
    run_build(BuildOptions(str(images), tmp_path / "x.zarr", size=(16, 16)), maker, heard)
    (line,) = heard.warnings
    assert said in line
    assert ("lung" in line) is has_lung
