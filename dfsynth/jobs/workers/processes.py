"""Workers as processes of this machine, one a device."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Final

from dfsynth.files.faults import store_faults
from dfsynth.jobs.workers.messages import Died, Message, decode_message, encode_options
from dfsynth.options import BuildOptions

_PROGRAM: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from dfsynth.jobs.workers.process_worker import main; main()"
)
_END_S: Final = 60.0
"""Time for the batch in hand and for what is kept of its shard."""


class ProcessWorkers:
    """Implements `dfsynth.jobs.workers.dispatch.Workers`."""

    def __init__(self, options: BuildOptions, devices: Sequence[str], cores: int) -> None:
        """Starts nothing yet.

        Args:
            options: Of the build.
            devices: One for each worker, such as cuda:0.
            cores: That each worker may use.
        """
        self._options = options
        self._devices = tuple(devices)
        self._cores = cores
        self._processes: dict[int, subprocess.Popen[str]] = {}
        self._heard: SimpleQueue[tuple[int, Message]] = SimpleQueue()

    @property
    def names(self) -> Sequence[str]:
        """See `Workers`."""
        return tuple(f"worker {n} ({device})" for n, device in enumerate(self._devices))

    def start(self, worker: int) -> None:
        """See `Workers`."""
        if worker in self._processes:
            _end_input(self._processes[worker])
        own = replace(self._options, device=self._devices[worker])
        with store_faults("start a worker"):
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, json.dumps(sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env={"OMP_NUM_THREADS": str(self._cores), **os.environ},
            )
        self._processes[worker] = process
        threading.Thread(
            target=self._hear, args=(worker, process), name=f"hear {worker}", daemon=True
        ).start()
        self._send(process, {"options": encode_options(own), "cores": self._cores})

    def give(self, worker: int, shards: Sequence[int]) -> None:
        """See `Workers`."""
        self._send(self._processes[worker], list(shards))

    def heard(self, timeout_s: float) -> Iterable[tuple[int, Message]]:
        """See `Workers`."""
        with suppress(Empty):
            yield self._heard.get(timeout=timeout_s)
            while True:
                yield self._heard.get_nowait()

    def stop(self) -> None:
        """See `Workers`."""
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)

    def close(self, at_once: bool) -> None:
        """See `Workers`."""
        for process in self._processes.values():
            if at_once:
                process.kill()
            _end_input(process)
        for process in self._processes.values():
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _send(self, process: subprocess.Popen[str], content: object) -> None:
        if process.stdin is None:
            raise ValueError("a worker has no input")
        # Where it has died, it is heard of as dead.
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(content) + "\n")
            process.stdin.flush()

    def _hear(self, worker: int, process: subprocess.Popen[str]) -> None:
        if process.stdout is not None:
            with process.stdout as lines:
                for line in lines:
                    self._heard.put((worker, decode_message(line)))
        self._heard.put((worker, Died(_describe_end(process.wait()))))


def _end_input(process: subprocess.Popen[str]) -> None:
    """Lets the process end after the batch in hand, if it has not."""
    if process.stdin is not None:
        with suppress(BrokenPipeError):
            process.stdin.close()


def _describe_end(status: int) -> str:
    """`killed by SIGKILL` or `exit status 1`."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"
