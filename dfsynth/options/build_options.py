"""What `dfsynth build` is asked to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Literal, TypeAlias

from dfsynth.errors import UsageError
from dfsynth.files.object_path import AnyPath, ObjectPath
from dfsynth.options.checks import (
    require_one_of,
    require_out,
    require_positive,
    require_run,
    require_sampler,
)
from dfsynth.options.coercion import (
    RENAMED,
    to_batch_size,
    to_error_codes,
    to_optional_names,
    to_optional_place,
    to_partition,
    to_place,
    to_shard_size,
    to_size,
)
from dfsynth.options.given import GivenOptions
from dfsynth.records import MONTE_CARLO_MODES, MonteCarloMode, SamplerChoice, SamplerName
from dfsynth.records.grid import LARGEST_SIDE
from dfsynth.tasks import known_maps

Engine: TypeAlias = Literal["local", "ray"]
StoredFloat: TypeAlias = Literal["float16", "float32"]
ViewChoice: TypeAlias = Literal["frontal", "all"]
DtypeChoice: TypeAlias = Literal["float32-rounded", "float32", "float16"]

DEFAULT_MC_SAMPLES: Final = 20
DTYPES: Final[Mapping[DtypeChoice, tuple[StoredFloat, int | None]]] = {
    "float32-rounded": ("float32", 10),
    "float32": ("float32", None),
    "float16": ("float16", None),
}
"""What `--dtype` names: the stored type, and the mantissa bits that values are rounded to."""
DEFAULT_DTYPE: Final = "float32-rounded"
ENGINES: Final = ("local", "ray")
PRECISIONS: Final = ("auto", "fp32", "bf16", "fp16")
ALL_GPUS: Final = "cuda:all"
VIEW_CHOICES: Final = ("frontal", "all")
_LONGEST_S: Final = 1e6
_COUNTS: Final = (
    *("shard_size", "batch_size", "workers", "limit", "max_pixels", "max_bytes"),
    *("ray_workers", "ray_cores"),
)


@dataclass(frozen=True, slots=True)
class BuildOptions(GivenOptions):
    """What `dfsynth build` is asked to do.

    Raises:
        UsageError: a value out of its range.
    """

    _coercions: ClassVar = {
        "source": str,
        "out": to_place,
        "root": to_optional_place,
        "checkpoint": str,
        "size": to_size,
        "batch_size": to_batch_size,
        "shard_size": to_shard_size,
        "retry_failed": to_error_codes,
        "partition": to_partition,
        "maps": to_optional_names,
    }
    _renamed: ClassVar = RENAMED

    source: str
    out: AnyPath
    root: AnyPath | None = None
    checkpoint: str = "default"
    size: tuple[int, int] | None = None
    """Grid (height, width); the checkpoint's own by default."""
    mc_samples: int = DEFAULT_MC_SAMPLES
    mc: MonteCarloMode = "full"
    """`full`: every sample through every stage; `fast`: one pass of each member."""
    sampler: SamplerName | None = None
    """What leads from noise to a sample, of a checkpoint that draws them; that of its card by
    default, as of the two below."""
    sampler_steps: int | None = None
    """Passes of the network to a sample."""
    guidance: float | None = None
    """Weight of classifier-free guidance, 0 or more."""
    seed: int = 0
    batch_size: int | None = None
    """Images a batch; by the device by default."""
    precision: str = "auto"
    device: str = "auto"
    """auto, cpu, cuda, cuda:I; or cuda:all, for a process on every GPU of this machine."""
    engine: Engine = "local"
    """What does the work: this machine, or the workers of a Ray cluster."""
    ray_address: str | None = None
    """host:port of the cluster's head, or `local` to start one on this machine for the run; by
    default the one that RAY_ADDRESS names, or that runs here."""
    ray_workers: int | None = None
    """Workers; by default one a GPU of the cluster, or, without GPUs, one a group of cores."""
    ray_cores: int | None = None
    """Cores of one worker; by default a GPU's share of its machine, or, without GPUs, up to 4."""
    shard_size: int | None = None
    """Images a shard, the unit of commit; some minutes of work by default, by the measured rate."""
    partition: tuple[int, int] = (0, 1)
    """(I, N): this process takes the shards I, I + N, I + 2N, …"""
    workers: int | None = None
    """Decoding threads; one a core by default."""
    limit: int | None = None
    views: ViewChoice | None = None
    """`frontal`: images of a corpus that are known not to be frontal are left out; `all`: they
    stay. What a store has, or `frontal`, by default."""
    maps: tuple[str, ...] | None = None
    """The output of the checkpoint's task, aleatoric and epistemic by default."""
    dtype: DtypeChoice | None = None
    """A key of `DTYPES`; by default that of the store, and `DEFAULT_DTYPE` of a new one."""
    max_pixels: int | None = None
    """Largest image that is decoded; the decoder's own limit by default."""
    max_bytes: int | None = None
    """Largest file that is read; the decoder's own limit by default."""
    timeout_s: float | None = None
    """Longest that reading and decoding one image may take; forever by default."""
    overwrite: bool = False
    extend: bool = False
    """Whether inputs that appeared since planning are taken into new shards."""
    retry_failed: tuple[str, ...] | None = None
    """Error codes of the failed rows that are made anew; none by default."""

    @property
    def folder(self) -> Path:
        """`out`, of a store on a disk: one in an object store is made in a folder first.

        Raises:
            UsageError: it lies in an object store.
        """
        if isinstance(self.out, ObjectPath):
            raise UsageError(f"--out {self.out}: expected a folder on a disk")
        return self.out

    @property
    def sampler_choice(self) -> SamplerChoice:
        """How samples are drawn out of noise, as far as it is not as the card says."""
        return SamplerChoice(self.sampler, self.sampler_steps, self.guidance)

    def __post_init__(self) -> None:
        require_out(self.out)
        require_positive("mc_samples", self.mc_samples)
        for name in _COUNTS:
            if getattr(self, name) is not None:
                require_positive(name, getattr(self, name))
        if self.timeout_s is not None and not 0 < self.timeout_s < _LONGEST_S:
            raise UsageError(f"--timeout {self.timeout_s:g}: expected seconds above 0")
        self._check_going_on()
        require_run(self.partition, self.seed, self.device, (ALL_GPUS,))
        self._check_engine()
        require_one_of("--mc", self.mc, MONTE_CARLO_MODES)
        require_sampler(self.sampler_choice)
        if self.views is not None:
            require_one_of("--views", self.views, VIEW_CHOICES)
        if self.dtype is not None and self.dtype not in DTYPES:
            raise UsageError(f"--dtype {self.dtype!r}: expected {', '.join(DTYPES)}")
        if self.size is not None and not all(16 <= side <= LARGEST_SIDE for side in self.size):
            raise UsageError(
                f"--size {self.size[0]}x{self.size[1]}: expected sides of 16 to {LARGEST_SIDE}"
            )
        if self.precision not in PRECISIONS:
            raise UsageError(f"--precision {self.precision!r}: expected {', '.join(PRECISIONS)}")
        self._check_maps()

    def _check_engine(self) -> None:
        require_one_of("--engine", self.engine, ENGINES)
        if self.engine == "ray":
            if self.device[-1:].isdigit():
                raise UsageError(
                    f"--device {self.device} with --engine ray: expected auto, cpu or cuda, for "
                    "Ray gives each worker a GPU of its own"
                )
            return
        for name in ("ray_address", "ray_workers", "ray_cores"):
            if getattr(self, name) is not None:
                raise UsageError(
                    f"--{name.replace('_', '-')} is for a Ray cluster: expected --engine ray "
                    "beside it"
                )

    def _check_going_on(self) -> None:
        if self.overwrite and (self.extend or self.retry_failed is not None):
            option = "--extend" if self.extend else "--retry-failed"
            raise UsageError(
                f"--overwrite with {option}: expected one of them, for a store that is removed has "
                "nothing to go on with"
            )

    def _check_maps(self) -> None:
        if self.maps is None:
            return
        if not self.maps or len(set(self.maps)) != len(self.maps):
            raise UsageError(
                f"--maps {','.join(self.maps) or '(none)'}: expected one or more, each once; of "
                f"tasks that come with dfsynth there are {', '.join(known_maps())}"
            )
