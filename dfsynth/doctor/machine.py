"""What this machine has for a job, without a word on whose it is."""

import os
import platform
from pathlib import Path
from typing import Final

import torch

from dfsynth.devices import explain_precision, resolve_device, resolve_precision
from dfsynth.doctor.findings import Device, Machine
from dfsynth.threads.pool import available_cores

_MEMORY: Final = Path("/proc/meminfo")
_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")
_NVIDIA: Final = Path("/dev/nvidiactl")


def describe_machine(device: str, precision: str) -> Machine:
    """Describes the machine, with the device and the precision that a build would choose.

    Raises:
        UsageError: the device is not there, or does not compute in that precision.
    """
    chosen = resolve_device(device)
    return Machine(
        system=f"{platform.system()} {platform.machine()}",
        devices=(Device("cpu", _processor(), None), *_gpus()),
        device=str(chosen),
        precision=resolve_precision(precision, chosen),
        why=explain_precision(precision, chosen),
        cores=available_cores(),
        threads=torch.get_num_threads(),
        memory_bytes=_memory_bytes(),
        available_bytes=_available_bytes(),
        remarks=_remarks(),
    )


def _remarks() -> tuple[str, ...]:
    if _NVIDIA.exists() and not torch.cuda.is_available():
        kind = "a build for CPUs" if torch.version.cuda is None else "one that cannot use it"
        return (
            f"this machine has an NVIDIA GPU, but PyTorch is {kind}; install a build of PyTorch "
            "for its driver to use it",
        )
    return ()


def _gpus() -> tuple[Device, ...]:
    found = []
    for index in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(index)
        found.append(Device(f"cuda:{index}", facts.name, facts.total_memory))
    return tuple(found)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _memory_bytes() -> int:
    """Of the machine, or of the control group that a job queue puts its jobs in."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(whole, int(_LIMIT.read_text()))
    except (OSError, ValueError):
        # There is no limit, or it is the word max.
        return whole


def _available_bytes() -> int | None:
    """None where the system does not say."""
    try:
        lines = _MEMORY.read_text().splitlines()
    except OSError:
        return None
    found = (line.split() for line in lines if line.startswith("MemAvailable:"))
    return next((int(each[1]) * 1024 for each in found), None)
