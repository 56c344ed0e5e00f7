"""What flows between the stages, and nothing else.

    SourceItem → (bytes) → DecodedImage → ModelInput → Generated → Scored → ManifestRow
    Subject → PairItem → MadePair → PairRow

Frozen, so that no stage changes what another one holds. Arrays are named by axes: (y, x) is
(row, column) of an image, y downwards.
"""

from dfsynth.records.column import Column
from dfsynth.records.flags import (
    BEYOND_RANGE,
    CLIPPED,
    IMAGE_FLAGS,
    LEARNED_FLAGS,
    LOW_CONTRAST,
    NO_LUNG,
)
from dfsynth.records.generated import Generated, GeneratorFacts
from dfsynth.records.image import (
    DecodedImage,
    Geometry,
    ImageFacts,
    ModelInput,
    RawLayout,
    SourceItem,
)
from dfsynth.records.intensity import Intensity, IntensityRange, IntensityWindow
from dfsynth.records.manifest_row import ManifestRow, Scored, Status
from dfsynth.records.maps import Float32Map
from dfsynth.records.pair import (
    MadePair,
    Origin,
    PairFacts,
    PairItem,
    PairRow,
    Parameter,
    Split,
    Subject,
    Subjects,
    Truth,
)
from dfsynth.records.sampling import (
    AS_THE_CARD_SAYS,
    DIFFUSION_SAMPLERS,
    FLOW_SAMPLERS,
    MONTE_CARLO_MODES,
    SAMPLERS,
    DiffusionSampler,
    FlowSampler,
    MonteCarloMode,
    SamplerChoice,
    SamplerName,
    SamplerSettings,
)
from dfsynth.records.task import (
    PairRoles,
    Task,
    TaskArray,
    TaskCard,
    TaskInput,
    TaskMetric,
    TaskOutput,
)

__all__ = [
    "AS_THE_CARD_SAYS",
    "BEYOND_RANGE",
    "CLIPPED",
    "DIFFUSION_SAMPLERS",
    "FLOW_SAMPLERS",
    "IMAGE_FLAGS",
    "LEARNED_FLAGS",
    "LOW_CONTRAST",
    "MONTE_CARLO_MODES",
    "NO_LUNG",
    "SAMPLERS",
    "Column",
    "DecodedImage",
    "DiffusionSampler",
    "Float32Map",
    "FlowSampler",
    "Generated",
    "GeneratorFacts",
    "Geometry",
    "ImageFacts",
    "Intensity",
    "IntensityRange",
    "IntensityWindow",
    "MadePair",
    "ManifestRow",
    "ModelInput",
    "MonteCarloMode",
    "Origin",
    "PairFacts",
    "PairItem",
    "PairRoles",
    "PairRow",
    "Parameter",
    "RawLayout",
    "SamplerChoice",
    "SamplerName",
    "SamplerSettings",
    "Scored",
    "SourceItem",
    "Split",
    "Status",
    "Subject",
    "Subjects",
    "Task",
    "TaskArray",
    "TaskCard",
    "TaskInput",
    "TaskMetric",
    "TaskOutput",
    "Truth",
]
