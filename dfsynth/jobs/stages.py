"""The stages of a build, what its time went into, and which of them held it up."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from dfsynth.threads.activity import Activity
from dfsynth.threads.prefetch import INPUTS

READ: Final = "read"
DECODE: Final = "decode"
GENERATE: Final = "generate"
EXPORT: Final = "score and encode"
WRITE: Final = "write"
_STAGES: Final = (READ, DECODE, GENERATE, EXPORT, WRITE)

_ADVICE: Final[Mapping[str, str]] = MappingProxyType(
    {
        READ: "the source is slow: copy it to a faster disk, or read more at once with --workers",
        DECODE: "give it more --workers, as long as cores are free",
        EXPORT: "give it more cores, or choose fewer --maps for a new store",
        WRITE: "the disk of --out is slow: write to a faster one",
    }
)
Drawing = Literal["members", "dropout", "once", "noise"]
"""How samples of an image are drawn: many of members or of one network, whose channels are dropped;
one of each, where all others would be the same or are not asked for; out of noise."""
_GENERATE_ADVICE: Final[Mapping[Drawing, str]] = MappingProxyType(
    {
        "members": "use a GPU, or choose --mc fast for a new store",
        "dropout": "use a GPU, or fewer --mc-samples for a new store",
        "once": "use a GPU, or run the same command on more machines",
        "noise": "use a GPU, or fewer --sampler-steps or --mc-samples for a new store",
    }
)


@dataclass(frozen=True, slots=True)
class StageUse:
    """What the time of a build went into, from the first shard to the last."""

    seconds: float
    """Wall-clock time of it, without planning and loading."""
    processor_s: float
    """Seconds that the process computed meanwhile, in all threads; other processes slow the clock
    down, and this hardly."""
    busy: Mapping[str, float]
    """Of each stage, the share of its threads' time spent in it, 0 to 1.

    `read` and `decode` share theirs; `generate` has one for each batch that is made at once, and
    `write` has one.
    """
    waited: Mapping[str, float]
    """Shares of the time, 0 to 1, that the thread that writes stood waiting, by what for."""
    ready: float
    """Inputs that lay ready in front of the generator when it took one, in the mean."""
    room: int
    """Most that may be on their way to it."""
    bottleneck: str
    """The stage that held the others up."""
    advice: str
    """What to change for a faster build."""


def use_of(
    activity: Activity, threads: Mapping[str, int], ready: float, room: int, drawing: Drawing
) -> StageUse | None:
    """What the time of a build went into; None where no time has passed.

    Args:
        activity: What its stages were at.
        threads: Of the stages that have more than one.
        ready: Inputs that lay ready when the generator took one, in the mean.
        room: Most that may be on their way.
        drawing: How the generator draws samples.
    """
    seconds = activity.running_s
    if seconds <= 0:
        return None
    slowest = _bottleneck(activity, threads.get(GENERATE, 1))
    return StageUse(
        seconds=seconds,
        processor_s=activity.processor_s,
        busy={name: activity.busy[name] / (seconds * threads.get(name, 1)) for name in _STAGES},
        waited={name: activity.waited[name] / seconds for name in (INPUTS, EXPORT)},
        ready=ready,
        room=room,
        bottleneck=slowest,
        advice=_GENERATE_ADVICE[drawing] if slowest == GENERATE else _ADVICE[slowest],
    )


def _bottleneck(activity: Activity, generating: int) -> str:
    """Where most of the time went: the generator's threads, or the one that every row passes."""
    busy, waited = activity.busy, activity.waited
    inputs = max(READ, DECODE, key=lambda name: busy[name])
    spent = {
        inputs: waited[INPUTS],
        GENERATE: busy[GENERATE] / generating,
        EXPORT: waited[EXPORT],
        WRITE: busy[WRITE],
    }
    return max(spent, key=lambda name: spent[name])
