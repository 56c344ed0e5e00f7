"""What an examination finds: the records that `dfsynth doctor --json` prints."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Library:
    """One library that every installation needs."""

    name: str
    version: str | None
    """Null where it is not installed."""
    expected: str
    """The versions that dfsynth works with, such as >=2.6."""
    problem: str | None
    """What is wrong with it and what to do, in one sentence; null where nothing is."""


@dataclass(frozen=True, slots=True)
class Extra:
    """Libraries of which only some commands have need."""

    name: str
    present: bool
    """Whether all its libraries are installed, in versions that dfsynth works with."""
    missing: tuple[str, ...]
    """Those that are not, each with the versions that are expected."""
    install: str
    """The command that installs it."""


@dataclass(frozen=True, slots=True)
class Device:
    """One device that networks can run on."""

    name: str
    """As `--device` takes it."""
    model: str
    memory_bytes: int | None
    """Of its own; null for a processor."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Devices, precision, cores and memory."""

    system: str
    """Operating system and architecture."""
    devices: tuple[Device, ...]
    device: str
    """The one that is chosen."""
    precision: str
    """The one that is chosen."""
    why: str
    """Why that precision."""
    cores: int
    """Cores that this process may use."""
    threads: int
    """Threads that PyTorch computes with."""
    memory_bytes: int
    """Of the machine, or of the share that this process was given."""
    available_bytes: int | None
    """What of the machine's memory is free; null where the system does not say."""
    remarks: tuple[str, ...]
    """What is not wrong and worth a word."""


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What became of it."""

    checkpoint: str
    mc_samples: int
    batch_size: int
    images: int
    """Generated in the measured time."""
    seconds: float
    """Wall-clock time of these, of the generator alone."""
    images_per_s: float
    projected_images: int
    """Of the corpus that the projection is for."""
    projected_seconds: float
    """What the generator would need for it, on this device."""
    largest_difference: float
    """From the expected maps, as means of blocks, in the unit of the dark-field image."""
    tolerance: float
    """The largest difference that passes, in the unit of the dark-field image."""
    passed: bool
    """Whether the maps are as expected."""


@dataclass(frozen=True, slots=True)
class Examination:
    """An installation and its machine; no name of a person, a machine or a folder is in it."""

    dfsynth: str
    python: str
    libraries: tuple[Library, ...]
    extras: tuple[Extra, ...]
    machine: Machine | None
    """Null where PyTorch cannot be loaded."""
    free_bytes: int
    """What this user may still write where `--out` lies."""
    self_test: SelfTest | None
    """Null where it could not be run."""
    remarks: tuple[str, ...]
    """What is not wrong and worth a word."""
    problems: tuple[str, ...]
    """What is wrong and what to do, a sentence each; empty where all is well."""
