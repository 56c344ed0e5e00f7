"""Microspheres: the theory of dilute spheres, and what a fit to made phantoms gives back."""

from pathlib import Path

import numpy as np
import pytest
from measured_scans import write_diluted, write_listing, write_packed

from dfsynth.errors import UsageError
from dfsynth.simulation.tissue import DIAMETER_EXPONENT
from dfsynth.simulation.validation.measured.listing import find_listings
from dfsynth.simulation.validation.measured.spheres import (
    SphereScan,
    dilute_sphere_signal,
    fit_sizes,
    read_spheres,
)

SIZES_UM = (0.261, 0.507, 0.69, 0.89, 1.18, 1.54, 1.7, 1.86, 3.62, 7.75)
LENGTH_UM = 1.2


def response(diameter_um: float) -> float:
    return 2.3 + 1.4 * float(dilute_sphere_signal(np.array([diameter_um / LENGTH_UM]))[0])


def spheres_in(folder: Path) -> tuple[SphereScan, ...]:
    (listing,) = find_listings(folder)
    return read_spheres(listing)


def test_the_theory_is_that_of_others() -> None:
    # Enucatl/microspheres, data/dfec_structure_factor.csv at 20 keV, column dfec_lynch: from the
    # numerical autocorrelation; gratings of 2 µm, 12 cm apart.
    length_um = 12.398419843 / 20 * 1e-4 * 12e4 / 2
    theirs = {0.507: 2105.515, 3.62: 15049.676, 5.04747474747: 19132.105, 7.75: 19777.161}
    ours = dilute_sphere_signal(np.array(list(theirs)) / length_um)
    relative = np.array(list(theirs.values())) / ours
    assert relative == pytest.approx(np.full(4, relative.mean()), rel=0.005)


def test_the_theory_has_no_step_at_the_autocorrelation_length() -> None:
    below, above = dilute_sphere_signal(np.array([1 - 1e-9, 1 + 1e-9]))
    assert above == pytest.approx(below, abs=1e-6)


def test_the_simulators_exponent_is_the_theorys_slope_at_the_size_of_air_sacs() -> None:
    diameter_um = np.geomspace(150, 1000, 50)
    slope = np.polyfit(np.log(diameter_um), np.log(dilute_sphere_signal(diameter_um)), 1)[0]
    assert slope == pytest.approx(-DIAMETER_EXPONENT, abs=0.03)


def test_the_fit_gives_back_what_the_phantoms_were_made_of(tmp_path: Path) -> None:
    write_diluted(tmp_path, {size: response(size) for size in SIZES_UM})
    (found,) = fit_sizes(spheres_in(tmp_path))
    assert found.kind == "diluted spheres"
    assert found.sizes == len(SIZES_UM)
    assert found.autocorrelation_um == pytest.approx(LENGTH_UM, rel=0.02)
    assert found.explained == pytest.approx(1.0, abs=1e-4)


def test_a_response_of_another_shape_is_not_explained(tmp_path: Path) -> None:
    zigzag = {size: 3.0 + (-1) ** number for number, size in enumerate(SIZES_UM)}
    (found,) = fit_sizes(spheres_in(write_diluted(tmp_path, zigzag)))
    assert found.explained < 0.5


def test_packed_phantoms_are_set_apart_by_thickness_and_filter(tmp_path: Path) -> None:
    sizes = SIZES_UM[:5]
    scans = [(size, " 12", "None", response(size)) for size in sizes]
    scans += [(size, "12", "Cu 1 mm", 5 - response(size)) for size in sizes]
    scans += [(size, "45", "None", response(size)) for size in sizes[:3]]
    found = {fit.kind: fit for fit in fit_sizes(spheres_in(write_packed(tmp_path, scans)))}
    # Three sizes are too few for the fit.
    assert found.keys() == {
        "packed spheres, sample thickness 12 mm",
        "packed spheres, sample thickness 12 mm, filter Cu 1 mm",
    }
    assert all(fit.sizes == 5 for fit in found.values())


def test_a_description_says_what_sets_phantoms_apart(tmp_path: Path) -> None:
    write_packed(tmp_path, [(1.0, "12", "None", 3.0)])
    row = {"particle_size": 1.0, "sample_thickness": 12, "description": "thin", "csv": "a.csv"}
    (tmp_path / "a.csv").write_text("A,B\n0.5,0.25\n")
    write_listing(tmp_path / "data/build_summary.csv", [row])
    (found,) = spheres_in(tmp_path)
    assert (found.kind, found.diameter_um) == ("packed spheres, thin", 1.0)
    assert found.signal_over_attenuation == pytest.approx(2.0)


@pytest.mark.parametrize("size", ["", "wide", "0", "-1", "nan", "inf"])
def test_a_size_that_is_none_is_one_clear_line(tmp_path: Path, size: str) -> None:
    write_diluted(tmp_path, {1.0: 3.0})
    row = {"size": size, "csv": "source/data/csv/series.0.csv"}
    write_listing(tmp_path / "source/data/reconstructed.csv", [row])
    with pytest.raises(UsageError, match=f"has a size {size!r}: expected a diameter") as caught:
        spheres_in(tmp_path)
    assert "\n" not in str(caught.value)
