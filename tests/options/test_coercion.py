"""Options as people write them: texts of a command line and values from Python take one way."""

from pathlib import Path

import numpy as np
import pytest

from dfsynth.errors import UsageError
from dfsynth.options import BuildOptions, EvaluationOptions, SimulateOptions, TrainOptions


@pytest.mark.parametrize(
    ("written", "size"),
    [
        (None, None),
        (64, (64, 64)),
        ("64", (64, 64)),
        ("947x956", (947, 956)),
        ([32, 48], (32, 48)),
        (np.array([32, 48]), (32, 48)),
    ],
)
def test_a_size_is_one_number_or_two(written, size):
    assert BuildOptions.of(source="a", out="x.zarr", size=written).size == size


@pytest.mark.parametrize("written", ["64x", "a", "64x64x64", (64,), (1, 2, 3), (1.5, 2), 2.5])
def test_what_is_no_size_is_refused(written):
    with pytest.raises(UsageError, match=r"--size .*expected N or HxW"):
        BuildOptions.of(source="a", out="x.zarr", size=written)


@pytest.mark.parametrize("written", ["1/4", (1, 4), [1, 4]])
def test_a_partition_is_a_text_or_two_numbers(written):
    assert BuildOptions.of(source="a", out="x.zarr", partition=written).partition == (1, 4)
    assert SimulateOptions.of(out="x.zarr", n=1, partition=written).partition == (1, 4)


@pytest.mark.parametrize("written", ["1", "1/2/3", "a/b", (1, 2, 3)])
def test_what_is_no_partition_is_refused(written):
    with pytest.raises(UsageError, match=r"--partition .*expected I/N"):
        BuildOptions.of(source="a", out="x.zarr", partition=written)


@pytest.mark.parametrize("written", ["0.2:0.6", (0.2, 0.6), [0.2, 0.6]])
def test_a_range_is_a_text_or_two_numbers(written):
    assert SimulateOptions.of(out="x.zarr", n=1, severity=written).severity == (0.2, 0.6)


@pytest.mark.parametrize("written", [100, 100.0, "100", (100,)])
def test_one_number_is_both_ends_of_a_range(written):
    assert SimulateOptions.of(out="x.zarr", n=1, kvp=written).kvp == (100.0, 100.0)


@pytest.mark.parametrize("written", ["a", "1:2:3", "", (1, 2, 3), [None]])
def test_what_is_no_range_is_refused(written):
    with pytest.raises(UsageError, match=r"--kvp .*expected MIN:MAX or one number"):
        SimulateOptions.of(out="x.zarr", n=1, kvp=written)


@pytest.mark.parametrize(("written", "size"), [("auto", None), (None, None), ("8", 8), (8, 8)])
def test_a_batch_size_is_auto_or_a_number(written, size):
    assert BuildOptions.of(source="a", out="x.zarr", batch_size=written).batch_size == size


@pytest.mark.parametrize("written", ["many", "-1", 2.5])
def test_what_is_no_batch_size_is_refused(written):
    with pytest.raises(UsageError, match=r"--batch-size .*expected auto or a number"):
        BuildOptions.of(source="a", out="x.zarr", batch_size=written)


@pytest.mark.parametrize("written", ["dark_field, lung", ("dark_field", "lung")])
def test_names_are_a_text_or_several(written):
    assert BuildOptions.of(source="a", out="x.zarr", maps=written).maps == ("dark_field", "lung")


def test_paths_may_be_texts():
    assert BuildOptions.of(source=Path("a"), out="x.zarr", root="b").root == Path("b")
    assert SimulateOptions.of(out="x.zarr", n=1, origin="ct", ct="b").ct == Path("b")
    assert TrainOptions.of(recipe=Path("r"), data="d", out="o", targets="t").targets == Path("t")
    assert EvaluationOptions.of(checkpoint=Path("c"), data="d", ood="o").ood == Path("o")


@pytest.mark.parametrize(
    ("old", "new", "value"), [("share", "partition", (0, 2)), ("devices", "implants", 0.5)]
)
def test_names_of_version_0_1_are_understood(old, new, value):
    with pytest.warns(DeprecationWarning, match=f"{old} is now called {new}"):
        found = SimulateOptions.of(out="x.zarr", n=1, **{old: value})
    assert getattr(found, new) == value
    with (
        pytest.warns(DeprecationWarning, match="now called"),
        pytest.raises(UsageError, match=f"{old} and {new} are the same option"),
    ):
        SimulateOptions.of(out="x.zarr", n=1, **{old: value, new: value})


def test_an_option_that_does_not_exist_is_a_type_error():
    with pytest.raises(TypeError, match="no_such_option"):
        BuildOptions.of(source="a", out="x.zarr", no_such_option=1)


@pytest.mark.parametrize("name", ["out", "root"])
def test_an_empty_path_is_not_the_current_folder(name):
    with pytest.raises(UsageError, match="found an empty path"):
        BuildOptions.of(**{"source": "a", "out": "x.zarr", name: ""})
