"""A worker as a process that whoever started it talks to by lines of JSON: shards in, messages out.

The first line of its input holds its options and its cores; each further one is a list of shards.
Where the input ends, as it does when the other side dies, it ends after the batch in hand.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import TextIO

from dfsynth.jobs.workers.messages import Message, decode_options, encode_message
from dfsynth.jobs.workers.worker import ShardWorker


def main() -> None:
    """Serves until the input ends."""
    told = _take_stdout()
    first = json.loads(sys.stdin.readline())
    worker = ShardWorker(decode_options(first["options"]), first["cores"], _teller(told))
    # Ctrl-C reaches every process of a terminal, and whoever started this one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    threading.Thread(target=_listen, args=(worker,), name="listen", daemon=True).start()
    worker.serve()


def _take_stdout() -> TextIO:
    """The process's output for messages alone; whatever a library prints goes to stderr."""
    told = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return told


def _teller(stream: TextIO) -> Callable[[Message], None]:
    mutex = threading.Lock()

    def tell(message: Message) -> None:
        with mutex:
            stream.write(encode_message(message) + "\n")
            stream.flush()

    return tell


def _listen(worker: ShardWorker) -> None:
    for line in sys.stdin:
        worker.give(json.loads(line))
    worker.stop()
    worker.end()


if __name__ == "__main__":
    main()
