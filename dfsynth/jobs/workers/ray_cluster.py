"""The Ray cluster that a build runs on, and the workers that fit on it."""

import os
import signal
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from dfsynth.counted_nouns import counted
from dfsynth.errors import UsageError
from dfsynth.extras import load_extra

LOCAL: Final = "local"
_CORES_A_WORKER: Final = 4
_ANSWER_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Places:
    """What is asked of a cluster: so many workers, each with so much."""

    workers: int
    cores: int
    gpus: int
    """0 or 1."""

    def __str__(self) -> str:
        return f"{self.cores} CPUs" + (f" and {self.gpus} GPU" if self.gpus else "")


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """The module `ray`, connected to a cluster while the body runs.

    A connection that this process has already is taken as it is, and kept.

    Args:
        address: host:port of its head, `local` to start one here for as long as the body runs; None
            for the one that RAY_ADDRESS names, or that runs on this machine.

    Raises:
        UsageError: Ray is not installed, or there is no such cluster.
    """
    ray = load_extra("ray", "--engine ray", "ray")
    if ray.is_initialized():
        yield ray
        return
    if address is not None and "://" in address:
        raise UsageError(
            f"--ray-address {address}: expected host:port of the cluster's head, or local; the "
            "command must run on a machine of the cluster (`ray job submit`), where the store is"
        )
    # Ray puts a handler of its own in place, which would end the run at once.
    before = signal.getsignal(signal.SIGTERM)
    try:
        _connect(ray, address)
        signal.signal(signal.SIGTERM, before)
        yield ray
    finally:
        ray.shutdown()
        signal.signal(signal.SIGTERM, before)


def _connect(ray: Any, address: str | None) -> None:
    named = address or os.environ.get("RAY_ADDRESS")
    where = named or "this machine"
    try:
        if named not in (None, LOCAL, "auto"):
            _require_answer(named)
        ray.init(
            address=address or "auto",
            log_to_driver=False,
            logging_level="ERROR",
            **({"include_dashboard": False} if address == LOCAL else {}),
        )
    except (OSError, ValueError) as error:
        raise UsageError(
            f"no Ray cluster at {where}; start one (`ray start --head`), name its head with "
            "--ray-address HOST:PORT, or give --ray-address local for one on this machine alone"
        ) from error
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise UsageError(
            f"the Ray cluster at {where} cannot be joined: {' '.join(lines)[:300]}"
        ) from error


def _require_answer(address: str) -> None:
    """Asks whether anybody listens there: Ray itself would go on asking for many minutes.

    Raises:
        OSError, ValueError: nobody does, or it is no host:port.
    """
    host, _, port = address.rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), _ANSWER_S):
        pass


def places_of(
    nodes: Sequence[Mapping[str, float]], device: str, workers: int | None, cores: int | None
) -> Places:
    """The workers for a cluster: one a GPU, else one a group of cores.

    Args:
        nodes: Of each machine, its resources by name: CPU, GPU.
        device: `auto`, `cpu` or `cuda`.
        workers: So many, where the user says; a cluster that grows gets as many machines.
        cores: Of each worker, where the user says.

    Raises:
        UsageError: it has no GPU where one was asked for, or nothing that a worker fits on.
    """
    with_gpu = [node for node in nodes if node.get("GPU", 0) >= 1]
    if device == "cuda" and not with_gpu and workers is None:
        raise UsageError(
            f"--device cuda: found no GPU on the {counted(len(nodes), 'machine')} of the Ray "
            "cluster; use --device cpu, or, where the cluster grows on demand, say how many with "
            "--ray-workers"
        )
    if device == "cuda" or (device == "auto" and with_gpu):
        shares = [int(node.get("CPU", 0) // node["GPU"]) for node in with_gpu]
        each = cores or max(min(shares, default=_CORES_A_WORKER), 1)
        fitting = sum(int(node["GPU"]) for node in with_gpu)
        return Places(workers or fitting, each, 1)
    largest = int(max((node.get("CPU", 0) for node in nodes), default=0))
    each = cores or max(min(largest, _CORES_A_WORKER), 1)
    fitting = sum(int(node.get("CPU", 0)) // each for node in nodes)
    if not workers and not fitting:
        raise UsageError(
            f"no worker fits on the Ray cluster: found {largest} CPUs on its largest machine, "
            f"expected {each} for one; lower --ray-cores"
        )
    return Places(workers or fitting, each, 0)


def resources_of(ray: Any) -> list[dict[str, float]]:
    """Of each machine that is alive, its resources by name."""
    return [dict(node["Resources"]) for node in ray.nodes() if node["Alive"]]
