"""What a store cannot be used for, in sentences that its card and its Croissant file share."""

from dfsynth.description.facts import StoreFacts

_IMAGES = (
    "The dark-field and uncertainty maps are synthetic: a neural network made them from "
    "conventional radiographs. No dark-field signal was measured.",
    "Not for diagnosis, and not for any decision about a patient.",
    "A network can show signal that is not there and miss signal that is. The scores say how far "
    "an image is to be trusted; none of them is a promise for one image.",
    "What is learned from these maps has to be confirmed on measured dark-field images.",
    "View, findings, sex, age and split are what the source says; they were not checked here.",
)
_PAIRS = (
    "The images are computed by a model of X-ray physics; no dark-field signal was measured. "
    "Where the origin is cxr the radiograph is real and its target is not.",
    "Not for diagnosis, and not for any decision about a patient.",
    "Tissue, noise and artefacts are drawn from distributions that are partly assumed: a network "
    "that does well on these pairs may still fail on measured ones.",
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
    found = list(_IMAGES if facts.kind == "images" else _PAIRS)
    if facts.source.paediatric:
        found.append(_CHILDREN)
    if facts.checkpoint is not None and facts.checkpoint.limits:
        found.append(f"Of the generator: {facts.checkpoint.limits}")
    found += (f"Of the source: {remark}" for remark in facts.source.remarks)
    return tuple(found)


def biases_of(facts: StoreFacts) -> tuple[str, ...]:
    """Whom the images stand for, and whom not."""
    return _BIASES if facts.kind == "images" else _SIMULATED_BIASES


def personal_information(facts: StoreFacts) -> str:
    """What of patients is in a store."""
    if facts.kind == "pairs":
        return (
            "patient_id names a phantom, a volume or a radiograph; pairs of the origin cxr hold "
            "the radiograph itself. No name, date, accession number or text of a DICOM header is "
            "in the store."
        )
    original = any(spec.name == "attenuation" for spec in facts.arrays)
    radiographs = "The radiographs themselves are" if original else "No original image is"
    return (
        "patient_id, sex, age and findings are as the corpus publishes them. No name, date, "
        "accession number, institution or text of a DICOM header is in the store. "
        f"{radiographs} in it, and the maps follow the radiographs in shape: treat them as images "
        "of patients."
    )


def uses_of(facts: StoreFacts) -> str:
    """What a store is for."""
    if facts.kind == "pairs":
        return "Research: training and testing generators of dark-field images."
    return (
        "Research: whether dark-field signal could help a method, before measured images exist; "
        "training and testing such methods, with images chosen by their scores."
    )
