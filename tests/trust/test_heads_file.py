"""Heads come back as they were written, and whatever else stands in the file is refused."""

import pickle
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_heads import FLAGS, drawn_heads
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import load, save

from dfsynth.errors import CheckpointError
from dfsynth.trust import TrustHeads, decode_heads, encode_heads

NAME = "somewhere/scores.safetensors"
RAW = encode_heads(drawn_heads(7, 9))
ARRAYS = sorted(load(RAW))
NUMBERS = [name for name in ARRAYS if name not in ("version", "flags")]


def refusal(raw: bytes) -> str:
    with pytest.raises(CheckpointError) as caught:
        decode_heads(raw, NAME)
    message = str(caught.value)
    assert NAME in message
    assert "\n" not in message
    return message


def changed(**arrays: NDArray[Any] | None) -> bytes:
    """The file with other arrays; None leaves one out."""
    found = {name.replace("__", "."): array for name, array in arrays.items()}
    kept = {name: array for name, array in (load(RAW) | found).items() if array is not None}
    return save(kept)


def arrays_of(record: Any) -> list[Any]:
    """All values of heads, also of the records and lists in them."""
    if isinstance(record, list):
        return [leaf for each in record for leaf in arrays_of(each)]
    if hasattr(record, "__dataclass_fields__"):
        return [leaf for f in fields(record) for leaf in arrays_of(getattr(record, f.name))]
    return [record]


def assert_equal(found: TrustHeads, wanted: TrustHeads) -> None:
    for one, other in zip(arrays_of(found), arrays_of(wanted), strict=True):
        assert type(one) is type(other)
        np.testing.assert_array_equal(one, other, strict=isinstance(one, np.ndarray))


@given(
    figures=st.integers(1, 12),
    layout=st.integers(1, 12),
    seed=st.integers(0, 999),
    flags=st.lists(st.sampled_from(FLAGS), unique=True).map(tuple),
)
def test_heads_come_back_bit_for_bit(
    figures: int, layout: int, seed: int, flags: tuple[str, ...]
) -> None:
    heads = drawn_heads(figures, layout, seed, flags)
    raw = encode_heads(heads)
    found = decode_heads(raw, NAME)
    assert_equal(found, heads)
    assert encode_heads(found) == raw
    inputs = np.random.default_rng(seed).standard_normal((3, figures + 4)).astype(np.float32)
    assert found.judge(inputs) == heads.judge(inputs)


@given(st.integers(0, len(RAW) - 1))
def test_a_file_cut_anywhere_is_refused(length: int) -> None:
    assert "damaged" in refusal(RAW[:length])


@given(place=st.integers(0, len(RAW) - 1), value=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_leaves_heads_that_work(place: int, value: int) -> None:
    raw = bytearray(RAW)
    raw[place] = value
    try:
        heads = decode_heads(bytes(raw), NAME)
    except CheckpointError:
        return
    with np.errstate(all="ignore"):
        assert len(heads.judge(np.zeros((2, len(heads.centre)), np.float32))) == 2


@given(st.binary(max_size=300))
def test_what_is_no_such_file_is_refused(raw: bytes) -> None:
    assert "damaged" in refusal(raw)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "touched",)

    refusal(pickle.dumps(Harmful()))
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_that_is_missing_is_refused(name: str) -> None:
    refusal(changed(**{name: None}))


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(name: str, wrong: float) -> None:
    array = load(RAW)[name].copy()
    array.flat[-1] = wrong
    refusal(changed(**{name: array}))


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "reshape",
    [
        lambda a: a[:-1],
        lambda a: np.concatenate([a, a[:1]]),
        lambda a: a[..., None],
        lambda a: a[None],
        lambda a: a[:0],
        lambda a: np.array(a.reshape(-1)[0]),
        lambda a: a.astype(np.int32),
        lambda a: a.astype(np.float64),
    ],
    ids=["shorter", "longer", "deeper", "nested", "empty", "a number", "whole", "double"],
)
def test_arrays_that_do_not_fit_the_others_are_refused(name: str, reshape: Any) -> None:
    """Also those that NumPy would stretch without a word."""
    refusal(changed(**{name: reshape(load(RAW)[name])}))


@pytest.mark.parametrize(
    "version", [[2], [0], [-1], [], [1, 1], [[1]], 1, [np.inf], [np.nan], [1.5]]
)
def test_another_version_is_refused(version: Any) -> None:
    refusal(changed(version=np.array(version)))


def test_a_later_version_says_so() -> None:
    message = refusal(changed(version=np.array([2], np.int32)))
    assert "of version 2" in message
    assert "reads 1" in message


@pytest.mark.parametrize("text", [b"", b"lateral", b",".join([b"x"] * 6), b"\xff\xfe"])
def test_flags_that_do_not_fit_the_outputs_are_refused(text: bytes) -> None:
    refusal(changed(flags=np.frombuffer(text, np.uint8)))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("projection.figure_scale", 0.0),
        ("projection.layout_scale", -1.0),
        ("distances", 0.0),
        ("margin_edges", -9.0),
    ],
)
def test_a_scale_or_an_order_that_cannot_be_is_refused(name: str, wrong: float) -> None:
    array = load(RAW)[name].copy()
    array[-1] = wrong
    refusal(changed(**{name: array}))


def test_a_perceptron_with_another_layer_too_many_is_refused() -> None:
    arrays = load(RAW)
    refusal(changed(**{"error.weight.2": arrays["error.weight.1"]}))
    refusal(changed(**{name: arrays[name][:0] for name in arrays if name.startswith("kinds.")}))
    assert decode_heads(changed(unknown=np.zeros(3, np.float32)), NAME)


def test_heads_that_no_reader_would_take_are_not_written() -> None:
    heads = drawn_heads(7, 9)
    broken = replace(heads, margins=np.array([0, np.nan, 1], np.float32))
    with pytest.raises(ValueError, match="numbers in margins that are not finite"):
        encode_heads(broken)
