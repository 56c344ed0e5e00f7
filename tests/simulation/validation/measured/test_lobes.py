"""Dried lung lobes: what is known of a made one comes back, and malformed ones are refused."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from measured_scans import ANIMALS, REGIONS, write_listing, write_lobes

from dfsynth.errors import UsageError
from dfsynth.simulation.validation.measured.listing import find_listings
from dfsynth.simulation.validation.measured.lobes import Lobe, animals_of, read_lobes
from dfsynth.simulation.validation.spectrum import spectral_slope


def lobes_in(folder: Path) -> tuple[Lobe, ...]:
    (listing,) = find_listings(folder)
    return read_lobes(listing)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return write_lobes(tmp_path / "dried_lung_samples")


def test_the_ratio_of_every_lobe_comes_back(checkout: Path) -> None:
    lobes = lobes_in(checkout)
    known = {
        (name, region): (smoke == "smoke", ratio)
        for name, (smoke, ratios) in ANIMALS.items()
        for region, ratio in zip(REGIONS, ratios, strict=True)
    }
    assert len(lobes) == len(known)
    for lobe in lobes:
        exposed, ratio = known[lobe.animal, lobe.region]
        assert lobe.exposed is exposed
        assert lobe.signal_over_attenuation == pytest.approx(ratio)


def test_an_animal_is_the_sum_over_its_pixels(checkout: Path) -> None:
    lobes = lobes_in(checkout)
    animals = {animal.name: animal for animal in animals_of(lobes)}
    assert list(animals) == sorted(ANIMALS)
    own = [lobe for lobe in lobes if lobe.animal == "WT223"]
    weighted = np.average([23.0, 25.0], weights=[lobe.attenuation for lobe in own])
    assert animals["WT223"].signal_over_attenuation == pytest.approx(weighted)
    assert animals["KO373"].signal_over_attenuation == pytest.approx(22.5)
    assert animals["KO373"].exposed


def test_pixels_lie_where_the_mask_is_true_row_by_row(checkout: Path) -> None:
    stem = checkout / "data/series.KO202_series.LL"
    mask = np.load(stem.with_suffix(".LL.npy"))
    assert np.isfortran(mask)
    # A signal that rises along x alone: in any other order it would be noise.
    image = 0.5 + 0.01 * np.arange(mask.shape[1])[None, :] * np.ones(mask.shape)
    with stem.with_suffix(".LL.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["A", "B"])
        writer.writerows([0.95, np.exp(-value)] for value in image[mask])
    found = next(x for x in lobes_in(checkout) if (x.animal, x.region) == ("KO202", "LL"))
    assert found.spectral_slope == pytest.approx(spectral_slope(image, mask), rel=1e-6)


def test_a_lobe_too_small_for_a_spectrum_still_counts(checkout: Path) -> None:
    stem = checkout / "data/series.KO202_series.LL"
    mask = np.zeros((90, 80), bool)
    mask[4:8, 4:8] = True
    np.save(stem.with_suffix(".LL.npy"), mask)
    lines = stem.with_suffix(".LL.csv").read_text().splitlines(keepends=True)
    stem.with_suffix(".LL.csv").write_text("".join(lines[: 1 + 16]))
    found = next(x for x in lobes_in(checkout) if (x.animal, x.region) == ("KO202", "LL"))
    assert found.spectral_slope is None
    assert found.signal_over_attenuation == pytest.approx(22.0)


def change(checkout: Path, column: str, value: str | None) -> None:
    """Gives the first row another value, or all rows no such column."""
    path = checkout / "reconstructed.csv"
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    if value is None:
        rows = [{k: v for k, v in row.items() if k != column} for row in rows]
    else:
        rows[0][column] = value
    write_listing(path, rows)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("name", None, "has no column name"),
        ("roi", None, "has no column roi"),
        ("smoke", "", "has smoke '': expected smoke or control"),
        ("smoke", "Smoke", "has smoke 'Smoke': expected smoke or control"),
        ("smoke", "smoke", "KO202 is listed with smoke and as control"),
        ("csv", "data/gone.csv", "names 'data/gone.csv' as csv, and no such file"),
        ("roi", "data/gone.npy", "names 'data/gone.npy' as roi, and no such file"),
        ("roi", "", "names 'nothing' as roi, and no such file"),
    ],
)
def test_a_listing_of_another_kind_is_one_clear_line(
    checkout: Path, column: str, value: str | None, expected: str
) -> None:
    change(checkout, column, value)
    with pytest.raises(UsageError, match=expected) as caught:
        lobes_in(checkout)
    assert "\n" not in str(caught.value)


def save(path: Path, array: object) -> None:
    np.save(path, np.asarray(array))


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda path: path.write_bytes(b""), "cannot read the mask"),
        (lambda path: path.write_bytes(b"390 673 563 894\n"), "cannot read the mask"),
        (lambda path: path.write_bytes(path.read_bytes()[:200]), "cannot read the mask"),
        (lambda path: save(path, [{"a": 1}]), "cannot read the mask"),
        (lambda path: save(path, np.ones((90, 80))), r"holds float64 of shape \(90, 80\)"),
        (lambda path: save(path, np.ones(7200, bool)), r"holds bool of shape \(7200,\)"),
        (lambda path: save(path, np.ones((90, 80), bool)), "marks 7200 pixels"),
        (lambda path: save(path, np.load(path)[:40]), "expected as many"),
    ],
)
def test_a_mask_that_does_not_fit_is_one_clear_line(
    checkout: Path, spoil: Callable[[Path], object], expected: str
) -> None:
    path = checkout / "data/series.WT353_series.RUL.npy"
    spoil(path)
    with pytest.raises(UsageError, match=expected) as caught:
        lobes_in(checkout)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_header_that_promises_more_than_memory_holds_is_one_clear_line(checkout: Path) -> None:
    path = checkout / "data/series.WT353_series.RUL.npy"
    with path.open("wb") as file:
        header = {"descr": "|b1", "fortran_order": True, "shape": (10**9, 10**9)}
        np.lib.format.write_array_header_1_0(file, header)
    with pytest.raises(UsageError, match="cannot read the mask") as caught:
        lobes_in(checkout)
    assert "\n" not in str(caught.value)


def test_an_archive_of_arrays_is_no_mask(checkout: Path) -> None:
    path = checkout / "data/series.WT353_series.RUL.npy"
    with path.open("wb") as file:
        np.savez(file, mask=np.ones((90, 80), bool))
    with pytest.raises(UsageError, match="cannot read the mask"):
        lobes_in(checkout)
