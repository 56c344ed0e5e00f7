"""What goes into a network and what comes out: modality, units, arrays, words, pictures.

A task is a file of `manifests/tasks/`. A checkpoint, a store of pairs and a store of generated
images each name theirs.
"""

from dfsynth.tasks.registry import DEFAULT_TASK, known_maps, task_named, task_names
from dfsynth.tasks.task import (
    PairRoles,
    Task,
    TaskArray,
    TaskCard,
    TaskInput,
    TaskMetric,
    TaskOutput,
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
    "known_maps",
    "task_named",
    "task_names",
]
