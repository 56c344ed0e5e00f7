"""Build options: each bad value is refused, by the name of its option."""

from pathlib import Path
from typing import Any

import pytest

from dfsynth.errors import ExitStatus, UsageError
from dfsynth.options import DEFAULT_DTYPE, DTYPES, BuildOptions
from dfsynth.tasks import DEFAULT_TASK, task_named


def options(**changed: Any) -> BuildOptions:
    return BuildOptions(source="images", out=Path("x.zarr"), **changed)


def test_defaults_are_those_of_the_command() -> None:
    found = options()
    assert found.checkpoint == "default"
    assert found.mc_samples == 20
    assert found.seed == 0
    assert found.maps is None
    assert found.dtype is None
    assert found.partition == (0, 1)
    assert found.shard_size is None
    assert (found.precision, found.device) == ("auto", "auto")
    for name in ("root", "size", "batch_size", "workers", "limit", "max_pixels", "max_bytes"):
        assert getattr(found, name) is None


def test_the_default_type_can_be_averaged_and_costs_no_more_than_float16() -> None:
    assert DTYPES[DEFAULT_DTYPE] == ("float32", 10)
    assert DTYPES.keys() == {"float32-rounded", "float32", "float16"}


BAD: list[tuple[str, Any, str]] = [
    ("mc_samples", 0, "--mc-samples 0"),
    ("mc_samples", -3, "--mc-samples -3"),
    ("shard_size", 0, "--shard-size 0"),
    ("batch_size", 0, "--batch-size 0"),
    ("workers", -1, "--workers -1"),
    ("limit", 0, "--limit 0"),
    ("max_pixels", 0, "--max-pixels 0"),
    ("max_bytes", -5, "--max-bytes -5"),
    ("seed", -1, "--seed -1"),
    ("partition", (1, 1), "--partition 1/1"),
    ("partition", (-1, 2), "--partition -1/2"),
    ("partition", (0, 0), "--partition 0/0"),
    ("size", (15, 64), "--size 15x64"),
    ("size", (64, 4097), "--size 64x4097"),
    ("size", (0, 0), "--size 0x0"),
    ("dtype", "float64", "--dtype 'float64'"),
    ("dtype", "", "--dtype ''"),
    ("maps", (), r"--maps \(none\)"),
    ("maps", ("dark_field", "dark_field"), "--maps dark_field,dark_field"),
    ("precision", "fp8", "--precision 'fp8'"),
    ("precision", "", "--precision ''"),
    ("device", "gpu", "--device 'gpu'"),
    ("device", "cuda:x", "--device 'cuda:x'"),
    ("device", "cuda:-1", "--device 'cuda:-1'"),
    ("engine", "dask", "--engine dask"),
]


@pytest.mark.parametrize(("name", "value", "words"), BAD)
def test_a_bad_value_is_refused_by_its_options_name(name: str, value: Any, words: str) -> None:
    with pytest.raises(UsageError, match=rf"^{words}: expected ") as caught:
        options(**{name: value})
    assert caught.value.exit_status == ExitStatus.USAGE
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"ray_address": "head:6379"}, "--ray-address is for a Ray cluster: expected --engine ray"),
        ({"ray_workers": 2}, "--ray-workers is for a Ray cluster"),
        ({"engine": "ray", "ray_workers": 0}, "--ray-workers 0: expected 1 or more"),
        ({"engine": "ray", "ray_cores": -1}, "--ray-cores -1: expected 1 or more"),
        ({"engine": "ray", "device": "cuda:1"}, "--device cuda:1 with --engine ray: expected auto"),
    ],
)
def test_options_of_a_cluster_go_together(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=f"^{words}"):
        options(**given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mc_samples", 1),
        ("device", "cuda:all"),
        ("size", (16, 4096)),
        ("size", (947, 956)),
        ("partition", (3, 4)),
        ("maps", tuple(task_named(DEFAULT_TASK).map_words)),
        ("maps", ("lung",)),
        ("dtype", "float32"),
        ("precision", "bf16"),
        ("precision", "fp16"),
        ("precision", "fp32"),
        ("device", "cpu"),
        ("device", "cuda"),
        ("device", "cuda:3"),
        ("limit", 1),
        ("seed", 2**63),
    ],
)
def test_values_at_the_ends_of_their_ranges_are_taken(name: str, value: Any) -> None:
    assert getattr(options(**{name: value}), name) == value


def test_options_are_frozen() -> None:
    # mypy refuses it as well; here it is asked to look away.
    with pytest.raises(AttributeError):
        options().seed = 5  # type: ignore[misc]
