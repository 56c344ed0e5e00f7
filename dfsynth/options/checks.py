"""Checks that the options of several jobs share."""

import math
import os
import re
from collections.abc import Sequence
from pathlib import Path

from dfsynth.errors import UsageError
from dfsynth.files.object_path import SCHEME, AnyPath
from dfsynth.records import SAMPLERS, SamplerChoice


def require_positive(name: str, value: int) -> None:
    """Requires a count of 1 or more.

    Raises:
        UsageError: it is less.
    """
    if value < 1:
        raise UsageError(f"--{name.replace('_', '-')} {value}: expected 1 or more")


def require_run(
    partition: tuple[int, int], seed: int, device: str, more_devices: Sequence[str] = ()
) -> None:
    """Requires what every job that writes a store is asked for to make sense.

    Raises:
        UsageError: no part I of N, a seed below 0, or a device that cannot be spelt so.
    """
    index, count = partition
    if not 0 <= index < count:
        raise UsageError(f"--partition {index}/{count}: expected I/N with 0 <= I < N")
    if seed < 0:
        raise UsageError(f"--seed {seed}: expected 0 or more")
    # Whether the device is there is asked of torch, later; this is spelling alone.
    if device not in more_devices and not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise UsageError(
            f"--device {device!r}: expected {', '.join(('auto', 'cpu', 'cuda', *more_devices))} or "
            "cuda:0, cuda:1, …"
        )


def require_disk(out: AnyPath | None) -> None:
    """Requires that what is written goes to a disk, if anywhere.

    Raises:
        UsageError: it is an address of an object store, which as a path would be a folder here.
    """
    if (address := _address_of(out)) is not None:
        raise UsageError(
            f"--out {address}: this command writes to a disk alone; write there, then copy what "
            "it wrote"
        )


def require_inputs_on_disk(**given: Path | None) -> None:
    """Requires that inputs, by the names of their options, are read from a disk.

    Raises:
        UsageError: one is an address of an object store.
    """
    for name, path in given.items():
        if (address := _address_of(path)) is not None:
            raise UsageError(
                f"--{name} {address}: this option reads from a disk alone; copy it to one, then "
                "name the copy"
            )


def _address_of(path: AnyPath | None) -> str | None:
    """The address of an object store that was taken for a path, where it was."""
    if isinstance(path, Path) and path.parts[:1] == (SCHEME.rstrip("/"),):
        return f"{SCHEME}{'/'.join(path.parts[1:])}"
    return None


def require_out(out: AnyPath) -> None:
    """Requires the name of a store that can be written.

    Raises:
        UsageError: it is no text, or an object store where a disk is expected.
    """
    require_disk(out)
    if any("\udc80" <= character <= "\udcff" for character in str(out)):
        raise UsageError(
            f"--out {os.fsencode(str(out))!r}: the path is not UTF-8, and libraries that read "
            "stores cannot open it; choose another name"
        )


def require_suffix(out: Path, known: Sequence[str]) -> None:
    """Requires the name of a file whose ending says its kind.

    Raises:
        UsageError: it has another ending, or none.
    """
    if out.suffix.lower() not in known:
        raise UsageError(
            f"--out {out}: expected a name that ends in {', '.join(known)}, which says what is "
            "written"
        )


def require_range(name: str, found: tuple[float, float], ends: tuple[float, float]) -> None:
    """Requires that a range (low, high) lies within `ends`, in the option's own unit.

    Raises:
        UsageError: it does not, or its ends are in the wrong order.
    """
    low, high = found
    # Written so that NaN is refused too.
    if not ends[0] <= low <= high <= ends[1]:
        raise UsageError(
            f"--{name} {low:g}:{high:g}: expected MIN:MAX with "
            f"{ends[0]:g} <= MIN <= MAX <= {ends[1]:g}"
        )


def require_one_of(option: str, found: str, expected: Sequence[str]) -> None:
    """Requires one of a few words.

    Raises:
        UsageError: it is none of them.
    """
    if found not in expected:
        raise UsageError(f"{option} {found}: expected {', '.join(expected)}")


def require_sampler(choice: SamplerChoice) -> None:
    """Requires a sampler that there is, one step or more, and a finite guidance of 0 or more.

    Raises:
        UsageError: it is something else.
    """
    if choice.sampler is not None:
        require_one_of("--sampler", choice.sampler, SAMPLERS)
    if choice.steps is not None:
        require_positive("sampler_steps", choice.steps)
    # Written so that NaN is refused too.
    if choice.guidance is not None and not 0 <= choice.guidance < math.inf:
        raise UsageError(f"--guidance {choice.guidance:g}: expected 0 or more")
