"""What every command does around its one call: output, errors, signals, exit status."""

import dataclasses
import json
import logging
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import typer

from dfsynth.errors import DfsynthError, ExitStatus


class Terminated(BaseException):
    """SIGTERM arrived; raised in the main thread so that what is in hand is dropped whole."""


@dataclass(frozen=True, slots=True)
class Session:
    """How one command talks: results on stdout, everything else on stderr."""

    json: bool
    quiet: bool
    verbose: bool

    def result(self, record: object, text: str) -> None:
        """The command's result: JSON of `record` (a dataclass or a mapping), or `text`."""
        if self.json:
            plain = record
            if dataclasses.is_dataclass(record) and not isinstance(record, type):
                plain = dataclasses.asdict(record)
            print(json.dumps(plain, default=_to_json, ensure_ascii=False, allow_nan=False))
        elif not self.quiet:
            print(text)


@contextmanager
def session(json: bool, quiet: bool, verbose: bool, resumes: bool = True) -> Iterator[Session]:
    """Turns errors and signals of the body into one line and an exit status.

    `resumes`: whether the same command goes on where a signal stopped it.
    """
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.WARNING, stream=sys.stderr, format="%(message)s"
    )
    # Libraries' debug messages would drown ours.
    for name in ("pydicom", "numcodecs", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module="pydicom")
    advice = "run the same command again to go on" if resumes else "nothing was kept"
    before = signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        yield Session(json, quiet, verbose)
    except DfsynthError as error:
        if verbose:
            traceback.print_exc()
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(error.exit_status) from None
    except KeyboardInterrupt:
        print(f"interrupted; {advice}", file=sys.stderr)
        raise typer.Exit(ExitStatus.INTERRUPTED) from None
    except Terminated:
        print(f"terminated; {advice}", file=sys.stderr)
        raise typer.Exit(ExitStatus.TERMINATED) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise_terminated(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


def _to_json(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not known to JSON")
