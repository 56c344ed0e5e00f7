"""What every command does around its one call: output, errors, signals, exit status."""

import errno
import json
import logging
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import typer

from dfsynth.cli.log_file import log_line, log_message, log_result, logged, open_log
from dfsynth.cli.printable import PrintableFormatter
from dfsynth.cli.signals import Terminated, end_at_once, ignore_if_ended, signal_behind
from dfsynth.cli.terminal import coloured
from dfsynth.errors import DfsynthError, ExitStatus, UsageError
from dfsynth.printable_text import printable

Value = TypeVar("Value")

_SHOWN: Final = 60
"""Characters of a long path, at each of its ends."""


@dataclass(frozen=True, slots=True)
class Console:
    """Where one command prints: results on stdout, everything else on stderr."""

    json: bool
    quiet: bool
    verbose: bool

    def result(self, record: object, text: str) -> None:
        """The command's result: the document of `record`, or `text`.

        Raises:
            DfsynthError: stdout takes no more.
        """
        from dfsynth.cli.documents import document_of

        document = document_of(record)
        log_result(document)
        if self.json:
            # An escape of JSON's own, where the terminal has no such letter.
            plain_letters = "utf" not in (sys.stdout.encoding or "").lower()
            text = json.dumps(document, ensure_ascii=plain_letters, allow_nan=False)
        elif self.quiet:
            return
        _print_result(printable(text))

    def note(self, text: str) -> None:
        """One line of advice."""
        if not self.quiet:
            print(printable(text), file=sys.stderr)
        log_message(text)

    def renamed(self, old: str, old_value: Value, new: str, new_value: Value) -> Value:
        """The value of an option that was renamed; both null where neither is given.

        Raises:
            UsageError: both spellings are given.
        """
        if old_value is None:
            return new_value
        if new_value is not None:
            raise UsageError(f"{old} is the old spelling of {new}: expected one of them")
        self.note(f"note: {old} is now called {new}")
        return old_value


@contextmanager
def console_of(
    json: bool, quiet: bool, verbose: bool, resumes: bool = True, log: Path | None = None
) -> Iterator[Console]:
    """Turns errors and signals of the body into one line and an exit status.

    `resumes`: whether the same command goes on where a signal stopped it; `log`: the file of
    `--log`.
    """
    _set_up_messages(verbose)
    advice = "run the same command again to go on" if resumes else "nothing was kept"
    with _failures_end(verbose, advice):
        file = None if log is None else open_log(log)
    with logged(file), _failures_end(verbose, advice):
        yield Console(json, quiet, verbose)


@contextmanager
def _failures_end(verbose: bool, advice: str) -> Iterator[None]:
    before = {signal.SIGTERM: signal.getsignal(signal.SIGTERM)}
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a shell may have it ignored
        before[signal.SIGINT] = signal.default_int_handler
    for number in before:
        signal.signal(number, end_at_once)
    try:
        with _signals_named():
            yield
    except DfsynthError as error:
        if verbose:
            print(printable(traceback.format_exc()), file=sys.stderr, end="")
        _say_failure(str(error))
        raise typer.Exit(error.exit_status) from None
    except OSError as error:
        # A name that was given: wherever it is first looked for, and looking is refused already.
        if error.errno != errno.ENAMETOOLONG:
            raise
        _say_failure(_too_long(error))
        raise typer.Exit(ExitStatus.USAGE) from None
    except KeyboardInterrupt:
        print(f"interrupted; {advice}", file=sys.stderr)
        raise typer.Exit(ExitStatus.INTERRUPTED) from None
    except Terminated:
        print(f"terminated; {advice}", file=sys.stderr)
        raise typer.Exit(ExitStatus.TERMINATED) from None
    finally:
        ignore_if_ended()
        for number, handler in before.items():
            if signal.getsignal(number) is end_at_once:
                signal.signal(number, handler)


@contextmanager
def _signals_named() -> Iterator[None]:
    """Errors that came of a signal become its exception."""
    try:
        yield
    except Exception as error:
        if (behind := signal_behind(error)) is not None:
            raise behind from None
        raise


def _say_failure(sentence: str) -> None:
    print(f"{coloured('error:', 'red', sys.stderr)} {printable(sentence)}", file=sys.stderr)
    log_line(sentence, logging.ERROR)


def _too_long(error: OSError) -> str:
    path = os.fsencode(error.filename or "")
    longest = max(map(len, path.split(b"/")))
    return (
        f"a path is too long for its file system: found {len(path)} bytes, and {longest} in one of "
        f"its names, in {_shortened(os.fsdecode(path))}; most take 4095 and 255; choose another"
    )


def _shortened(text: str) -> str:
    return text if len(text) <= 2 * _SHOWN else f"{text[:_SHOWN]}…{text[-_SHOWN:]}"


def _set_up_messages(verbose: bool) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PrintableFormatter("%(message)s"))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.WARNING, handlers=[handler])
    # Libraries' debug messages would drown ours.
    for name in ("numcodecs", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # These write signed headers and where credentials came from.
    for name in ("aiobotocore", "aiohttp", "botocore", "fsspec", "s3fs"):
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = False
    # pydicom quotes header values, those of patients too. A level would not silence it: it sets
    # its own when it is loaded, which is later.
    logging.getLogger("pydicom").propagate = False
    warnings.filterwarnings("ignore", module="pydicom")


def _print_result(text: str) -> None:
    try:
        print(text, flush=True)
    except OSError as error:
        # What could not be written is tried again when Python ends, and would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            # A reader such as `head` has seen enough.
            return
        raise DfsynthError(
            f"the work is done, but its result cannot be printed: {error.strerror}; "
            "check where stdout goes"
        ) from error
