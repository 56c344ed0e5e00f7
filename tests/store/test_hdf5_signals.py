"""A signal that comes while HDF5 calls back: it is raised as one, at every place it can come at."""

import signal
import sys
from pathlib import Path

import pytest

from dfsynth.store.hdf5 import file as hdf5_file
from dfsynth.store.hdf5.file import Hdf5File

OF_THE_STREAM = frozenset({"write", "read", "readinto", "seek", "tell", "truncate", "_do"})


def write(folder: Path, interrupted_at: int | None) -> int:
    """Writes a file; at the n-th call of a method that HDF5 calls, where it begins, SIGINT comes.

    Gives how many such calls there were.
    """
    calls = 0

    def watch(frame, event, _argument):
        nonlocal calls
        of_stream = frame.f_code.co_filename == hdf5_file.__file__
        if event == "call" and of_stream and frame.f_code.co_name in OF_THE_STREAM:
            calls += 1
            if calls == interrupted_at:
                signal.raise_signal(signal.SIGINT)

    file = Hdf5File(folder / "x.h5", folder, "group")
    try:
        sys.setprofile(watch)
        with file.calling() as content:
            content.create_dataset("a", data=range(100), chunks=(10,))
        file.close()
        file.seal(b"{}")
        file.publish()
    finally:
        sys.setprofile(None)
        file.discard()
    return calls


def test_a_signal_is_raised_as_one_wherever_it_comes(tmp_path):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        calls = write(tmp_path, None)
        assert calls > 10
        (tmp_path / "x.h5").unlink()
        for number in range(1, calls + 1):
            with pytest.raises(KeyboardInterrupt):
                write(tmp_path, number)
            assert list(tmp_path.iterdir()) == []
    finally:
        signal.signal(signal.SIGINT, before)
