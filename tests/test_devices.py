"""Devices and precisions: what is asked for, or a clear refusal."""

from pathlib import Path

import pytest
import torch

from dfsynth import devices as precision
from dfsynth.devices import mixed_precision, resolve_device, resolve_precision
from dfsynth.errors import UsageError

CPU = torch.device("cpu")


def test_cpu_is_always_there() -> None:
    assert resolve_device("cpu") == CPU


def test_auto_takes_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == CPU
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto").type == "cuda"


@pytest.mark.parametrize(
    "wanted", ["", "gpu", "CPU", "cuda:", "cuda:x", "cuda:-1", "cuda0", "mps", "cuda:0\n", "cpu:0"]
)
def test_unknown_devices_are_refused(wanted: str) -> None:
    with pytest.raises(UsageError, match="unknown device") as caught:
        resolve_device(wanted)
    assert repr(wanted) in str(caught.value)


@pytest.mark.parametrize(("wanted", "count"), [("cuda", 0), ("cuda:0", 0), ("cuda:2", 2)])
def test_devices_that_are_not_there_are_refused(
    monkeypatch: pytest.MonkeyPatch, wanted: str, count: int
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    with pytest.raises(UsageError, match=f"shows {count} CUDA devices"):
        resolve_device(wanted)


@pytest.mark.parametrize(
    ("wanted", "device", "native", "reason"),
    [
        ("auto", "cpu", True, "bf16, since the processor multiplies it natively"),
        ("auto", "cpu", False, "fp32, since the processor multiplies no bfloat16"),
        ("fp32", "cpu", True, "fp32, as asked for"),
        ("auto", "cuda", True, "bf16, since the GPU has bfloat16"),
        ("auto", "cuda", False, "fp16, since the GPU lacks bfloat16"),
    ],
)
def test_the_precision_is_explained(
    monkeypatch: pytest.MonkeyPatch, wanted: str, device: str, native: bool, reason: str
) -> None:
    monkeypatch.setattr(precision, "_cpu_multiplies_bf16", lambda: native)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_options: native)
    assert precision.explain_precision(wanted, torch.device(device)).startswith(reason)


def test_the_device_asked_for_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("cuda") == torch.device("cuda", 0)
    assert resolve_device("cuda:1") == torch.device("cuda", 1)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ("flags : fpu avx512_bf16 amx_tile\n", "bf16"),
        ("flags : fpu amx_bf16\n", "bf16"),
        ("flags : fpu avx2\n", "fp32"),
        ("", "fp32"),
    ],
)
def test_auto_is_bf16_only_where_the_cpu_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, facts: str, expected: str
) -> None:
    (tmp_path / "cpuinfo").write_text(facts)
    monkeypatch.setattr(precision, "_CPU_FACTS", tmp_path / "cpuinfo")
    assert resolve_precision("auto", CPU) == expected


def test_a_cpu_that_says_nothing_computes_in_float32(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(precision, "_CPU_FACTS", tmp_path / "nothing")
    assert resolve_precision("auto", CPU) == "fp32"


@pytest.mark.parametrize("wanted", ["fp32", "bf16"])
def test_precisions_of_a_cpu(wanted: str) -> None:
    assert resolve_precision(wanted, CPU) == wanted


@pytest.mark.parametrize("wanted", ["fp32", "bf16", "fp16"])
def test_precisions_of_a_gpu(wanted: str) -> None:
    assert resolve_precision(wanted, torch.device("cuda", 0)) == wanted


@pytest.mark.parametrize(("native", "expected"), [(True, "bf16"), (False, "fp16")])
def test_auto_on_a_gpu(monkeypatch: pytest.MonkeyPatch, native: bool, expected: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_options: native)
    assert resolve_precision("auto", torch.device("cuda", 0)) == expected


@pytest.mark.parametrize("wanted", ["", "float32", "fp8", "FP32", "tf32"])
def test_unknown_precisions_are_refused(wanted: str) -> None:
    with pytest.raises(UsageError, match="unknown precision"):
        resolve_precision(wanted, CPU)


def test_fp16_needs_a_gpu() -> None:
    with pytest.raises(UsageError, match="fp16 needs a GPU"):
        resolve_precision("fp16", CPU)


@pytest.mark.parametrize(
    ("precision", "product"),
    [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)],
)
def test_a_precision_is_that_of_matrix_products(precision: str, product: torch.dtype) -> None:
    one = torch.ones(2, 2)
    with mixed_precision(CPU, precision):
        assert (one @ one).dtype == product
    assert (one @ one).dtype == torch.float32
