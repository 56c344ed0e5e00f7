"""What a store cannot be used for, in sentences that its card and its Croissant file share."""

from dfsynth.description.facts import StoreFacts
from dfsynth.options.simulate_tasks import TASK_OPTIONS, TaskOptions

_DIAGNOSIS = "Not for diagnosis, and not for any decision about a patient."
_NETWORK = (
    "A network can show signal that is not there and miss signal that is. The scores say how far "
    "an image is to be trusted; none of them is a promise for one image."
)
_SOURCE = "View, findings, sex, age and split are what the source says; they were not checked here."
_DRAWN = (
    "Tissue, noise and artefacts are drawn from distributions that are partly assumed: a network "
    "that does well on these pairs may still fail on measured ones."
)
_IMAGED = (
    "How images are degraded is drawn from distributions that are partly assumed: a network that "
    "does well on these pairs may still fail on measured ones."
)
_BIASES = (
    "The images have the patients, devices and habits of the source, and no other: how groups are "
    "represented is counted in the dataset card.",
)
_SIMULATED_BIASES = (
    "Bodies and disease are as common as the options of the simulation drew them, which is not as "
    "common as they are among patients.",
)
_CHILDREN = "The source is of children; generators that were trained on adults mislead there."


def limits_of(facts: StoreFacts) -> tuple[str, ...]:
    """What users have to know before they use a store; one sentence or more each."""
    card = facts.task.card
    found = (
        [card.pairs, _DIAGNOSIS, _DRAWN if _options_of(facts).draws_bodies else _IMAGED]
        if facts.is_of_pairs
        else [card.maps, _DIAGNOSIS, _NETWORK, card.confirmation, _SOURCE]
    )
    if facts.source.paediatric:
        found.append(_CHILDREN)
    if facts.checkpoint is not None and facts.checkpoint.limits:
        found.append(f"Of the generator: {facts.checkpoint.limits}")
    found += (f"Of the source: {remark}" for remark in facts.source.remarks)
    return tuple(found)


def biases_of(facts: StoreFacts) -> tuple[str, ...]:
    """Whom the images stand for, and whom not."""
    drawn = facts.is_of_pairs and _options_of(facts).draws_bodies
    return _SIMULATED_BIASES if drawn else _BIASES


def personal_information(facts: StoreFacts) -> str:
    """What of patients is in a store."""
    if facts.is_of_pairs and _options_of(facts).slices_volumes:
        return (
            "patient_id is the path of a volume, or what the table beside the volumes calls the "
            "person. No name, date, accession number or text of a DICOM header is in the store. "
            "The pairs hold slices of the volumes themselves: treat them as images of patients."
        )
    if facts.is_of_pairs:
        return (
            "patient_id names a phantom, a volume or a radiograph; pairs of the origin cxr hold "
            "the radiograph itself. No name, date, accession number or text of a DICOM header is "
            "in the store."
        )
    inputs = facts.task.card.inputs
    original = any(spec.name == facts.task.input.array for spec in facts.arrays)
    shown = f"The {inputs} themselves are" if original else "No original image is"
    return (
        "patient_id, sex, age and findings are as the corpus publishes them. No name, date, "
        "accession number, institution or text of a DICOM header is in the store. "
        f"{shown} in it, and the maps follow the {inputs} in shape: treat them as images "
        "of patients."
    )


def uses_of(facts: StoreFacts) -> str:
    """What a store is for."""
    return facts.task.card.pairs_use if facts.is_of_pairs else facts.task.card.use


def _options_of(facts: StoreFacts) -> TaskOptions:
    """What pairs of the task can be made of; only tasks that come with dfsynth have stores."""
    return TASK_OPTIONS[facts.task.name]
