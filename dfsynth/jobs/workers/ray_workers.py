"""Workers as actors of a Ray cluster, one a GPU or a group of cores."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any, Final

from dfsynth.errors import DfsynthError, UsageError
from dfsynth.jobs.workers.installed_code import code_digest
from dfsynth.jobs.workers.messages import Died, Message, Note, decode_message, encode_options
from dfsynth.jobs.workers.ray_actor import THREADS, RayActor
from dfsynth.jobs.workers.ray_cluster import Places
from dfsynth.options import BuildOptions
from dfsynth.version import __version__

_HEAR_S: Final = 5.0
_PLACE_S: Final = 60.0
"""After so long, a worker that has no place yet is told of."""
_END_S: Final = 60.0
"""Time for the batch in hand and for what is kept of its shard."""


@dataclass(slots=True)
class _Actor:
    """One of them, and the answers that are waited for."""

    handle: Any
    describing: Any
    since: float
    serving: Any = None
    hearing: Any = None
    told_waiting: bool = False


class RayWorkers:
    """Implements `dfsynth.jobs.workers.dispatch.Workers`, and what planning asks of a machine."""

    def __init__(self, ray: Any, options: BuildOptions, places: Places) -> None:
        """Starts nothing yet.

        Args:
            ray: The module, connected.
            options: Of the build, with paths that hold on all machines.
            places: How many there are, and what each needs.
        """
        self._ray = ray
        self._places = places
        device = "cuda" if places.gpus else "cpu"
        self._options = replace(options, device=device, workers=options.workers or places.cores)
        self._class = ray.remote(
            num_cpus=places.cores,
            num_gpus=places.gpus,
            max_restarts=0,
            max_concurrency=THREADS,
            scheduling_strategy="SPREAD",
        )(RayActor)
        self._names = [f"worker {number}" for number in range(places.workers)]
        self._actors: dict[int, _Actor] = {}
        self._code = code_digest()

    @property
    def names(self) -> Sequence[str]:
        """See `Workers`."""
        return self._names

    @property
    def processes(self) -> int:
        """How many share a store."""
        return self._places.workers

    def resolve_precision(self, wanted: str) -> str:
        """What the device of the first worker does; see `GeneratorMaker`."""
        return str(self._ask("resolve_precision", wanted))

    def images_per_s(self, precision: str, grid: tuple[int, int]) -> float:
        """The rate of the first worker's generator."""
        return float(self._ask("images_per_s", precision, grid))

    def start(self, worker: int) -> None:
        """See `Workers`; one that planning has asked goes on."""
        actor = self._started(worker)
        if actor.serving is None and actor.describing is None:
            self._serve(actor)

    def give(self, worker: int, shards: Sequence[int]) -> None:
        """See `Workers`."""
        self._actors[worker].handle.give.remote(list(shards))

    def heard(self, timeout_s: float) -> Iterable[tuple[int, Message]]:
        """See `Workers`."""
        waited = {}
        for worker, actor in self._actors.items():
            for answer in (actor.describing, actor.hearing, actor.serving):
                if answer is not None:
                    waited[answer] = worker
        ready, _ = self._ray.wait(list(waited), num_returns=1, timeout=timeout_s)
        for answer in ready:
            worker = waited[answer]
            yield from ((worker, message) for message in self._answered(worker, answer))
        yield from self._without_place()

    def stop(self) -> None:
        """See `Workers`."""
        for actor in self._actors.values():
            if actor.serving is not None:
                actor.handle.stop.remote()

    def close(self, at_once: bool) -> None:
        """See `Workers`."""
        if not at_once:
            serving = [a for a in self._actors.values() if a.serving is not None]
            for actor in serving:
                actor.handle.end.remote()
            answers = [actor.serving for actor in serving]
            if answers:
                self._ray.wait(answers, num_returns=len(answers), timeout=_END_S)
        for actor in self._actors.values():
            self._ray.kill(actor.handle)
        self._actors.clear()

    def _started(self, worker: int) -> _Actor:
        if worker not in self._actors:
            handle = self._class.remote(encode_options(self._options), self._places.cores)
            self._actors[worker] = _Actor(handle, handle.describe.remote(), monotonic())
        return self._actors[worker]

    def _answered(self, worker: int, answer: Any) -> Iterator[Message]:
        """What an answer says; asks the worker for the next one.

        Raises:
            DfsynthError: the worker is of another version.
        """
        actor = self._actors[worker]
        try:
            found = self._ray.get(answer)
        except self._ray.exceptions.RayActorError as error:
            del self._actors[worker]
            # One that cannot be reached may still be at work.
            self._ray.kill(actor.handle)
            if "creation task" in str(error):
                raise self._cannot_start(worker, str(error)) from error
            yield Died(_reason(str(error)))
            return
        if answer is actor.describing:
            self._know(worker, actor, found)
            self._serve(actor)
        elif answer is actor.hearing:
            actor.hearing = actor.handle.heard.remote(_HEAR_S)
            for line in found:
                yield decode_message(line)
        else:
            # Served to its end, which an error alone brings about: it is in what is heard.
            actor.serving = None

    def _know(self, worker: int, actor: _Actor, found: tuple[str, str, str, int]) -> None:
        """Takes what an actor says it is.

        Raises:
            UsageError: its dfsynth is not the one of this process.
        """
        version, code, machine, process = found
        actor.describing = None
        self._names[worker] = f"worker {worker} ({machine}, process {process})"
        if (version, code) != (__version__, self._code):
            raise UsageError(
                f"{self._names[worker]} has another dfsynth: found version {version}, code {code}; "
                f"expected {__version__}, code {self._code}, as here; install the same on all "
                "machines of the cluster"
            )

    def _serve(self, actor: _Actor) -> None:
        actor.serving = actor.handle.serve.remote()
        actor.hearing = actor.handle.heard.remote(_HEAR_S)

    def _cannot_start(self, worker: int, text: str) -> DfsynthError:
        lines = [line for line in text.splitlines() if "Error" in line]
        return UsageError(
            f"{self._names[worker]} cannot start dfsynth {__version__}: "
            f"{(lines or [text])[-1].strip()}; install the same dfsynth on all machines"
        )

    def _ask(self, method: str, *arguments: object) -> Any:
        """The answer of the first worker, which is started for it.

        Raises:
            DfsynthError: it has died, or is of another version, or cannot do it.
        """
        actor = self._started(0)
        try:
            if actor.describing is not None:
                self._know(0, actor, self._ray.get(actor.describing))
            return self._ray.get(getattr(actor.handle, method).remote(*arguments))
        except self._ray.exceptions.RayActorError as error:
            raise self._cannot_start(0, str(error)) from error
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, DfsynthError):
                raise type(error.cause)(f"{self._names[0]}: {error.cause}") from error
            raise

    def _without_place(self) -> Iterator[tuple[int, Message]]:
        for worker, actor in self._actors.items():
            waits = actor.describing is not None and monotonic() - actor.since > _PLACE_S
            if waits and not actor.told_waiting:
                actor.told_waiting = True
                yield (
                    worker,
                    Note(
                        f"the cluster has had no place for it for {_PLACE_S:.0f} s: it needs "
                        f"{self._places}; fewer are asked for with --ray-workers"
                    ),
                )


def _reason(text: str) -> str:
    """The one line of Ray's report that says why an actor died."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("The actor is dead because")]
    return (told or lines or ["no reason is known"])[0].rstrip(".")
