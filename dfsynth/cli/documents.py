"""What `--json` prints: one object, whose first entry, `schema`, names its kind and version.

`docs/schemas/` describes each kind as JSON Schema, written from the records by
`scripts/document_schemas.py`. Keys may be added; one that goes, or changes its meaning, takes a new
version.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Final

from dfsynth.files.json_record import stored_key


@dataclass(frozen=True, slots=True)
class Document:
    """One kind of document."""

    name: str
    version: int
    record: str
    """The dataclass whose fields it holds, by its module and name."""
    commands: tuple[str, ...]
    """Those that print it, for people."""

    @property
    def schema(self) -> dict[str, Any]:
        """The entry `schema` of each such document."""
        return {"name": f"dfsynth.{self.name}", "version": self.version}


DOCUMENTS: Final = (
    Document("run", 1, "dfsynth.jobs.engine.RunReport", ("build", "simulate")),
    Document(
        "build-estimate", 1, "dfsynth.jobs.build_estimate.BuildEstimate", ("build --dry-run",)
    ),
    Document("sheet", 1, "dfsynth.jobs.show.Sheet", ("show",)),
    Document("report", 1, "dfsynth.jobs.reporting.job.Report", ("report",)),
    Document("store", 1, "dfsynth.jobs.info.StoreInfo", ("info",)),
    Document("verification", 1, "dfsynth.jobs.verify.Verification", ("verify",)),
    Document("filter", 1, "dfsynth.jobs.filter.Filtered", ("filter",)),
    Document("export", 1, "dfsynth.jobs.exporter.ExportReport", ("export",)),
    Document(
        "simulation-estimate",
        1,
        "dfsynth.jobs.simulate_estimate.SimulationEstimate",
        ("simulate --dry-run",),
    ),
    Document(
        "simulation-validation",
        1,
        "dfsynth.simulation.validation.cohort.CohortValidation",
        ("simulate --validate",),
    ),
    Document(
        "scan-validation",
        1,
        "dfsynth.simulation.dark_field_ct.validation.validate.ScanValidation",
        ("simulate --validate",),
    ),
    Document("evaluation", 1, "dfsynth.evaluate.scores.Evaluation", ("evaluate",)),
    Document(
        "slice-evaluation",
        1,
        "dfsynth.evaluate.slice_measurement.SliceEvaluation",
        ("evaluate",),
    ),
    Document(
        "restoration-evaluation",
        1,
        "dfsynth.evaluate.restoration.measurement.RestorationEvaluation",
        ("evaluate",),
    ),
    Document("training", 1, "dfsynth.train.job.TrainReport", ("train",)),
    Document("training-estimate", 1, "dfsynth.train.estimate.TrainPlan", ("train --dry-run",)),
    Document("examination", 1, "dfsynth.doctor.findings.Examination", ("doctor",)),
    Document("networks", 1, "dfsynth.checkpoint.packaged.PackagedNetworks", ("models",)),
    Document("network", 1, "dfsynth.checkpoint.packaged.PackagedNetwork", ("models NAME",)),
    Document("corpora", 1, "dfsynth.source.corpus_description.CorpusDescriptions", ("sources",)),
    Document("corpus", 1, "dfsynth.source.corpus_description.CorpusDescription", ("sources show",)),
    Document("corpus-check", 1, "dfsynth.source.corpus_check.CorpusReport", ("sources check",)),
    Document(
        "corpus-template", 1, "dfsynth.source.corpus_starter.CorpusTemplate", ("sources new",)
    ),
)


def document_of(record: object) -> dict[str, Any]:
    """The document of a command's result.

    Raises:
        TypeError: no line of `DOCUMENTS` is for such a record, or a value is none of JSON's.
    """
    kind = f"{type(record).__module__}.{type(record).__qualname__}"
    document = next((each for each in DOCUMENTS if each.record == kind), None)
    if document is None:
        raise TypeError(f"{kind} has no line in dfsynth.cli.documents.DOCUMENTS")
    return {"schema": document.schema, **_to_json(record)}


def _to_json(value: object) -> Any:
    if is_dataclass(value):
        return {
            stored_key(field.name): _to_json(getattr(value, field.name)) for field in fields(value)
        }
    if isinstance(value, Mapping):
        return {key: _to_json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json(entry) for entry in value]
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{type(value).__name__} is not known to JSON")
