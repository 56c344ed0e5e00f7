"""The manifest of pairs of dark-field radiography, which most tests are about."""

from dfsynth.manifest import null_parameters, pair_schema
from dfsynth.tasks import DEFAULT_TASK, task_named

PAIRS = pair_schema(DEFAULT_TASK)
PAIR_PARAMETERS = task_named(DEFAULT_TASK).parameter
PAIR_ARRAYS = task_named(DEFAULT_TASK).array
NO_PARAMETERS = null_parameters(PAIRS)
