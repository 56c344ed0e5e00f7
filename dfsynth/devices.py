"""Which device and which precision a run uses, training and inference alike."""

import re
from pathlib import Path
from typing import Final

import torch

from dfsynth.errors import UsageError

DTYPES: Final = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_CPU_FACTS: Final = Path("/proc/cpuinfo")


def resolve_device(wanted: str) -> torch.device:
    """Gives the device that `auto`, `cpu`, `cuda` or `cuda:i` names.

    `auto` is the first GPU where there is one, else the CPU.

    Raises:
        UsageError: the name is unknown, or the device is not there.
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


def resolve_devices(wanted: str) -> tuple[torch.device, ...]:
    """Gives the devices that `cuda:all` names, which is every GPU of this machine; else one.

    Raises:
        UsageError: the name is unknown, or no such device is there.
    """
    if wanted != "cuda:all":
        return (resolve_device(wanted),)
    count = torch.cuda.device_count()
    if not count:
        raise UsageError(
            f"device {wanted!r} is not there: this machine shows 0 CUDA devices; use --device cpu, "
            "or check the driver and CUDA_VISIBLE_DEVICES"
        )
    return tuple(torch.device("cuda", index) for index in range(count))


def resolve_precision(wanted: str, device: torch.device) -> str:
    """Decides between fp32, bf16 and fp16, given one of these or `auto`.

    `auto` is bf16 where the hardware multiplies it natively, else fp16 on CUDA and fp32 on CPU.

    Raises:
        UsageError: the precision is unknown, or fp16 on a CPU, which has no fast fp16 convolution.
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


def explain_precision(wanted: str, device: torch.device) -> str:
    """Why a device computes in the precision that `resolve_precision` gives, in a few words.

    Raises:
        UsageError: as `resolve_precision`.
    """
    precision = resolve_precision(wanted, device)
    if wanted != "auto":
        return f"{precision}, as asked for"
    if device.type == "cuda":
        has = "has" if precision == "bf16" else "lacks"
        return f"{precision}, since the GPU {has} bfloat16"
    if precision == "bf16":
        return "bf16, since the processor multiplies it natively (avx512_bf16 or amx_bf16)"
    return "fp32, since the processor multiplies no bfloat16 (neither avx512_bf16 nor amx_bf16)"


def mixed_precision(device: torch.device, precision: str) -> torch.autocast:
    """Gives the context in which networks run in a precision, as `resolve_precision` gives it."""
    is_mixed = precision != "fp32"
    # Autocast has no float32; a context that is disabled ignores its type.
    return torch.autocast(
        device.type, DTYPES[precision] if is_mixed else torch.bfloat16, enabled=is_mixed
    )


def _cpu_multiplies_bf16() -> bool:
    """Linux on x86 says so; elsewhere float32 is the safe answer."""
    try:
        facts = _CPU_FACTS.read_text()
    except OSError:
        return False
    return re.search(r"\b(avx512_bf16|amx_bf16)\b", facts) is not None
