"""An HDF5 file that appears under its name whole or not at all, written by h5py."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from dfsynth.errors import StoreError
from dfsynth.files.durable import DurableFile, sync_folder
from dfsynth.files.faults import store_error, store_faults
from dfsynth.store.hdf5.seal import seal_of
from dfsynth.threads.signals import signals_put_off

if TYPE_CHECKING:
    import h5py

Result = TypeVar("Result")


class Hdf5Stream:
    """What h5py writes a file through: it takes every call, and says afterwards what went wrong.

    HDF5 that is refused a byte can neither go on nor close its file, and tries once more when the
    interpreter ends. So a failure ends the writing but not the calls: HDF5 lets go in peace, the
    file is dropped, and whoever writes it raises the failure.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.failure: BaseException | None = None
        """The first; nothing is written after it."""

    def write(self, data: memoryview) -> int:
        """Takes bytes at the current position."""
        return self._do(lambda: self._stream.write(data), data.nbytes)

    def read(self, size_bytes: int) -> bytes:
        """The next bytes; h5py asks whether there is such a method, and calls `readinto`."""
        # A buffered stream writes what it holds before it reads or moves: that may fail as well.
        return self._do(lambda: self._stream.read(size_bytes), b"")

    def readinto(self, buffer: memoryview) -> int:
        """Fills the buffer from the current position."""
        data = self.read(buffer.nbytes)
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Moves the position."""
        return self._do(lambda: self._stream.seek(offset, whence), offset)

    def tell(self) -> int:
        """The position."""
        return self._do(self._stream.tell, 0)

    def truncate(self, size_bytes: int) -> int:
        """Sets the size of the file."""
        return self._do(lambda: self._stream.truncate(size_bytes), size_bytes)

    def flush(self) -> None:
        """Nothing: `DurableFile.seal` flushes."""

    def _do(self, call: Callable[[], Result], otherwise: Result) -> Result:
        """What `call` gives; `otherwise` from the first failure on."""
        if self.failure is None:
            try:
                return call()
            except BaseException as failure:  # noqa: BLE001 - `Hdf5File.check` raises it again
                # Its traceback holds the frames of h5py, and so a property list: HDF5 would free it
                # when the interpreter is gone, and crash.
                self.failure = failure.with_traceback(None)
        return otherwise


class Hdf5File:
    """A new HDF5 file in `scratch` that `publish` moves to `target`.

    Use: make what it holds `with calling()`; `close`, `seal`, `publish`; or `discard` at any time
    before `publish`.
    """

    def __init__(self, target: Path, scratch: Path, owner: str) -> None:
        """Opens the file.

        Raises:
            StoreError: the scratch folder cannot be written.
        """
        from h5py import File  # noqa: PLC0415 - only stores in this format need it

        self.target = target
        self._file = DurableFile(target, scratch, owner)
        self._stream = Hdf5Stream(self._file.stream)
        with signals_put_off():
            # Of the latest file format, HDF5 1.10, netCDF and R open no virtual dataset.
            self._content: h5py.File = File(self._stream, "w", libver="earliest")

    @contextmanager
    def calling(self) -> "Iterator[h5py.File]":
        """Gives the file to call h5py on, and raises afterwards what went wrong, if anything did.

        Signals wait for the end: what they raise where a method that HDF5 calls begins, nothing of
        ours can catch, and h5py turns it into an error of the disk.

        Raises:
            StoreError: the disk is full, or refuses.
        """
        with signals_put_off():
            yield self._content
        failure = self._stream.failure
        if isinstance(failure, OSError):
            raise store_error(f"write {self.target}", failure) from failure
        if failure is not None:
            raise failure

    def close(self) -> "BinaryIO":
        """Lets HDF5 write all that it holds; the stream of the whole file, to be read.

        Raises:
            StoreError: the disk is full, or refuses.
        """
        with self.calling() as content:
            content.close()
        with store_faults(f"write {self.target}"):
            self._file.stream.flush()  # reading would do it, and fail outside
        return self._file.stream

    def seal(self, message: bytes) -> None:
        """Puts the message behind the closed HDF5 file, and flushes everything to the disk.

        Raises:
            StoreError: the disk is full, or refuses.
        """
        self._file.stream.seek(0, os.SEEK_END)
        self._file.write(seal_of(message))
        self._file.seal()

    def publish(self) -> None:
        """Gives the sealed file its name, for good.

        Raises:
            StoreError: the name cannot be taken.
        """
        self._file.publish()
        sync_folder(self.target.parent)

    def discard(self) -> None:
        """Drops the file, as far as the system lets it; a sweep takes the rest."""
        if self._stream.failure is None:
            self._stream.failure = StoreError(f"{self.target} was given up")
        try:
            with signals_put_off(), suppress(OSError, RuntimeError):
                self._content.close()
        finally:
            self._file.discard()
