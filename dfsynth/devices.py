"""Which device and which precision a run uses."""

import re
from pathlib import Path
from typing import Final

import torch

from dfsynth.errors import UsageError

DTYPES: Final = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_CPU_FACTS = Path("/proc/cpuinfo")


def resolve_device(wanted: str) -> torch.device:
    """`auto`, `cpu`, `cuda` or `cuda:i` → a device that is there.

    Raises:
        UsageError: no such device.
    """
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if wanted == "cpu":
        return torch.device("cpu")
    match = re.fullmatch(r"cuda(?::(\d+))?", wanted)
    if match is None:
        raise UsageError(
            f"unknown device {wanted!r}; expected auto, cpu, cuda or cuda:0, cuda:1, …"
        )
    count, index = torch.cuda.device_count(), int(match[1] or 0)
    if index >= count:
        raise UsageError(
            f"device {wanted!r} is not there: this machine shows {count} CUDA devices; "
            "use --device cpu, or check the driver and CUDA_VISIBLE_DEVICES"
        )
    return torch.device("cuda", index)


def resolve_precision(wanted: str, device: torch.device) -> str:
    """`auto`, `fp32`, `bf16` or `fp16` → one of the last three.

    `auto` is bf16 where the hardware multiplies it natively, else fp16 on CUDA and fp32 on CPU.

    Raises:
        UsageError: an unknown precision, or fp16 on a CPU, which has no fast fp16 convolution.
    """
    if wanted == "auto":
        if device.type == "cuda":
            return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
        return "bf16" if _cpu_multiplies_bf16() else "fp32"
    if wanted not in DTYPES:
        raise UsageError(f"unknown precision {wanted!r}; expected auto, fp32, bf16 or fp16")
    if wanted == "fp16" and device.type == "cpu":
        raise UsageError("precision fp16 needs a GPU; use --precision auto, fp32 or bf16 on a CPU")
    return wanted


def _cpu_multiplies_bf16() -> bool:
    """Linux on x86 says so; elsewhere float32 is the safe answer."""
    try:
        facts = _CPU_FACTS.read_text()
    except OSError:
        return False
    return re.search(r"\b(avx512_bf16|amx_bf16)\b", facts) is not None
