"""What goes into a network and what comes out: modality, units, arrays, words, pictures.

A task is a file of `manifests/tasks/`, or one of a user's own. A checkpoint, a store of pairs and a
store of generated images each name theirs, and carry it where it is a user's.
"""

from dfsynth.records import (
    PairRoles,
    Task,
    TaskArray,
    TaskCard,
    TaskInput,
    TaskMetric,
    TaskOutput,
)
from dfsynth.tasks.registry import (
    DEFAULT_TASK,
    find_task,
    known_maps,
    own_task,
    parse_own_task,
    task_named,
    task_names,
    task_of,
)

__all__ = [
    "DEFAULT_TASK",
    "PairRoles",
    "Task",
    "TaskArray",
    "TaskCard",
    "TaskInput",
    "TaskMetric",
    "TaskOutput",
    "find_task",
    "known_maps",
    "own_task",
    "parse_own_task",
    "task_named",
    "task_names",
    "task_of",
]
