"""A checkpoint as the job of a build takes it: identified at once, loaded when there is work.

The job knows no torch, and `dfsynth.inference`, whose import loads it, is imported here only once
there is a shard to do: a finished store is resumed, and a wrong option refused, without waiting.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dfsynth.checkpoint import (
    CheckpointFiles,
    checkpoint_path,
    choose_sampler,
    read_checkpoint,
    require_sampling,
)
from dfsynth.checkpoint.packaged import require_members
from dfsynth.options import BuildOptions
from dfsynth.records import AS_THE_CARD_SAYS, Generated, GeneratorFacts, ModelInput


@dataclass(frozen=True, slots=True)
class ReadyGenerator:
    """A loaded generator with the batch size chosen for it."""

    description: str
    run: Callable[[Sequence[ModelInput], Sequence[str]], list[Generated]]
    batch_size: int
    at_once: int

    def generate(self, inputs: Sequence[ModelInput], image_ids: Sequence[str]) -> list[Generated]:
        """See `dfsynth.jobs.generator.Generator`."""
        return self.run(inputs, image_ids)


class CheckpointMaker:
    """Implements `dfsynth.jobs.generator.GeneratorMaker` for checkpoints on disk."""

    def __init__(self, options: BuildOptions) -> None:
        """Reads the checkpoint's files.

        Raises:
            UsageError: there is no such checkpoint, or it needs other samples, another sampler or a
                library.
            CheckpointError: it is damaged.
        """
        self._options = options
        self._files: CheckpointFiles = read_checkpoint(checkpoint_path(options.checkpoint))
        card = self._files.card
        if options.mc == "fast":
            require_members(self._files)
        sampling = choose_sampler(card.arguments, options.sampler_choice)
        require_sampling(card.arguments, options.mc_samples, options.mc)
        self.facts = GeneratorFacts(
            name=card.name,
            sha256=self._files.sha256,
            grid=card.grid,
            intensity=card.intensity,
            unit=card.unit,
            window=card.window,
            has_lung=card.arguments.lung_head,
            members=card.arguments.members,
            has_dropout=card.arguments.has_dropout,
            license=card.license,
            task=card.task,
            own_task=card.own_task,
            has_learned_scores=self._files.scores is not None,
            sampling=sampling,
            card_sampling=choose_sampler(card.arguments, AS_THE_CARD_SAYS),
        )

    def resolve_precision(self, wanted: str) -> str:
        """See `GeneratorMaker`."""
        from dfsynth.devices import resolve_devices, resolve_precision

        return resolve_precision(wanted, resolve_devices(self._options.device)[0])

    def make(self, precision: str, grid: tuple[int, int]) -> ReadyGenerator:
        """See `GeneratorMaker`."""
        from dfsynth.devices import resolve_devices, resolve_precision
        from dfsynth.inference import load_map_generator, side_by_side, torch_threads

        device = resolve_devices(self._options.device)[0]
        beside = side_by_side(device, grid)
        with torch_threads(beside.threads):
            generator = load_map_generator(
                self._files,
                device,
                resolve_precision(precision, device),
                self._options.mc_samples,
                self._options.seed,
                self._options.mc,
                choice=self._options.sampler_choice,
            )

        def run(inputs: Sequence[ModelInput], image_ids: Sequence[str]) -> list[Generated]:
            with torch_threads(beside.threads):
                return generator.generate(inputs, image_ids)

        return ReadyGenerator(
            f"{device} in {precision}",
            run,
            self._options.batch_size or generator.auto_batch_size(grid),
            beside.batches,
        )
