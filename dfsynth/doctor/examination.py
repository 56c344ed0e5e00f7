"""All that `dfsynth doctor` looks at."""

import os
import platform
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from dfsynth.doctor.anonymous import without_folders
from dfsynth.doctor.findings import Examination, Library, Machine, SelfTest
from dfsynth.doctor.libraries import find_extras, find_libraries, load_problem
from dfsynth.errors import DfsynthError, UsageError
from dfsynth.jobs.disk_space import free_bytes
from dfsynth.resources import data_folder
from dfsynth.version import __version__

SELF_TEST_S: Final = 10.0


def corpus_images(name: str) -> int:
    """How many images a packaged corpus has, by its file alone: no library but Python's own."""
    text = (data_folder("corpora") / f"{name}.toml").read_text(encoding="utf-8")
    return int(tomllib.loads(text)["size"]["images"])


def examine(
    out: Path, images: int, device: str, precision: str, announce: Callable[[str], None]
) -> Examination:
    """Looks at libraries, machine and disk, and runs the self-test, for about ten seconds.

    `announce` is told what takes its time.

    Raises:
        UsageError: fewer than one image, or a device or a precision that is not there.
        StoreError: the disk cannot be asked.
    """
    if images < 1:
        raise UsageError(f"--images {images}: expected 1 or more")
    libraries = find_libraries()
    problems = [each.problem for each in libraries if each.problem is not None]
    machine, test = None, None
    broken = load_problem(("torch",))
    if broken is not None and not problems:
        problems.append(f"torch: {broken}; reinstall it")
    if broken is None:
        from dfsynth.doctor.machine import describe_machine

        machine = describe_machine(device, precision)
        announce(f"self-test: about {SELF_TEST_S:.0f} seconds")
        test, failure = _try(machine, images)
        problems += failure
    if not _is_writable(out):
        problems.append("--out: this user may not write there; choose a folder of your own")
    return Examination(
        dfsynth=__version__,
        python=platform.python_version(),
        libraries=libraries,
        extras=find_extras(),
        machine=machine,
        free_bytes=free_bytes(out),
        self_test=test,
        remarks=(*_remarks(libraries), *(machine.remarks if machine else ())),
        problems=tuple(problems),
    )


def _try(machine: Machine, images: int) -> tuple[SelfTest | None, list[str]]:
    """The self-test, and what is wrong with it."""
    try:
        from dfsynth.doctor.self_test import run_self_test

        test = run_self_test(machine.device, machine.precision, images, SELF_TEST_S)
    except (DfsynthError, ImportError, OSError, RuntimeError) as error:
        kind, text = type(error).__name__, without_folders(str(error))
        return None, [
            f"self-test: it ended with {kind}: {text}; reinstall dfsynth, or try --device cpu"
        ]
    if test.passed:
        return test, []
    return test, [
        f"self-test: the maps differ by {test.largest_difference:.2g} from what is expected, more "
        f"than {test.tolerance:g}: the checkpoint is damaged, or {machine.device} computes "
        "wrongly; reinstall dfsynth, or try --device cpu"
    ]


def _is_writable(out: Path) -> bool:
    """Whether this user may write `out`, or make it."""
    there = next(path for path in (out, *out.resolve().parents) if path.exists())
    return os.access(there, os.W_OK)


def _remarks(libraries: tuple[Library, ...]) -> tuple[str, ...]:
    if libraries:
        return ()
    return (
        "dfsynth runs from a source tree that is not installed: its libraries are not checked; "
        "run: pip install --editable .",
    )
