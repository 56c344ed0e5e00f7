"""One image in Python: decode → preprocess → generate → score, with the values of a build."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from dfsynth.decode import limits_of
from dfsynth.errors import CheckpointError
from dfsynth.jobs.checkpoint_generator import CheckpointMaker
from dfsynth.jobs.generator import Generator
from dfsynth.jobs.given_image import ImageInput, read_given
from dfsynth.jobs.image_shards import available_maps, generate_padded
from dfsynth.jobs.synthetic_image import SyntheticImage
from dfsynth.options import DTYPES, GenerateOptions
from dfsynth.preprocess import ModelInputReader, to_grid, window_ends
from dfsynth.score import score
from dfsynth.store import ArraySpec, cast_map
from dfsynth.tasks import task_of


def generate_image(given: ImageInput, options: GenerateOptions) -> SyntheticImage:
    """Makes the maps of one image, the values that a build with the same options stores.

    Raises:
        UsageError: something that is no image, no such checkpoint, or an option that the device
            cannot serve.
        ImageError: an image that cannot be decoded, or of which nothing finite comes out.
        CheckpointError: a damaged checkpoint.
        DfsynthError: a failure of the machine.
    """
    maker = CheckpointMaker(options.as_build)
    facts = maker.facts
    grid, limits = options.size or facts.grid, limits_of(options.max_pixels, options.max_bytes)
    image = read_given(given, limits, options.inverted, facts.intensity)
    known, ready = ModelInputReader(grid, facts.intensity, limits).fit(image.decoded)
    precision = maker.resolve_precision(options.precision)
    loaded = _load(replace(options, image_id=None, inverted=False), facts.sha256, precision, grid)
    image_id = options.image_id or image.name
    [generated] = generate_padded(loaded, [ready], [image_id])
    scored = score(generated, ready)
    dtype, keepbits = DTYPES[options.dtype]
    task = task_of(facts.task, facts.own_task)
    maps = {
        name: cast_map(ArraySpec(name, dtype, 1, *grid, 1, keepbits), values).astype(np.float32)
        for name, values in available_maps(task, generated, ready).items()
    }
    content = to_grid(image.decoded.pixels, ready.geometry)
    return SyntheticImage(
        image_id=image_id,
        maps=maps,
        scores=scored.scores,
        flags=scored.flags,
        geometry=ready.geometry,
        facts=known,
        polarity=image.polarity,
        window=window_ends(content, facts.intensity),
        generator=facts,
    )


@lru_cache(maxsize=2)
def _load(
    options: GenerateOptions, sha256: str, precision: str, grid: tuple[int, int]
) -> Generator:
    """The network, loaded; the two that were asked for last stay.

    Safe to share: it is not changed by what it generates, and a checkpoint that is written anew has
    another `sha256`. Threads that ask at once may load it twice, and get equal ones.

    Raises:
        CheckpointError: the weights are damaged, or another `sha256` by now.
        UsageError: the device is not there.
    """
    maker = CheckpointMaker(options.as_build)
    if maker.facts.sha256 != sha256:
        raise CheckpointError(
            f"the checkpoint {options.checkpoint} was replaced while it was read; try again"
        )
    return maker.make(precision, grid)
