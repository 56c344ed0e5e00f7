"""Croissant 1.0 metadata, `croissant.json`: the store as JSON-LD for programs that load data sets.

Specification: https://docs.mlcommons.org/croissant/docs/croissant-spec-1.0.html, and for the
entries that begin with `rai:` https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html.
"""

from collections.abc import Iterator
from typing import Final

from dfsynth.description.card import CardState, title
from dfsynth.description.facts import StoreFacts
from dfsynth.description.licenses import license_reference
from dfsynth.description.limits import biases_of, limits_of, personal_information, uses_of
from dfsynth.description.markdown import one_line
from dfsynth.description.reading import READING, ArrayFiles
from dfsynth.files.json_record import Json, encode_json
from dfsynth.records import Column

_LIVE: Final = b'"isLiveDataset": true'
_PARTS: Final = "manifest-parts"
_TYPES: Final = {
    "string": "sc:Text",
    "list<string>": "sc:Text",
    "bool": "sc:Boolean",
    "int16": "sc:Integer",
    "int32": "sc:Integer",
    "int64": "sc:Integer",
    "float32": "sc:Float",
}
"""Type of a column → Croissant's."""
_CONTEXT: Final[dict[str, Json]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "equivalentProperty": "cr:equivalentProperty",
    "samplingRate": "cr:samplingRate",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""As the specification gives it: readers compare it with their own."""


def write_croissant(facts: StoreFacts) -> bytes:
    """The metadata as JSON; equal facts give equal bytes, and no time is in them.

    Parts are named by patterns and have no checksum here: a store that is extended or repaired has
    others, and each part, and each row, is checked by its own (`dfsynth verify`). A store that
    lacks shards is a live data set, whose files may change.
    """
    return encode_json(
        {
            "@context": _CONTEXT,
            "@type": "sc:Dataset",
            "conformsTo": [
                "http://mlcommons.org/croissant/1.0",
                "http://mlcommons.org/croissant/RAI/1.0",
            ],
            "name": title(facts),
            "description": one_line(f"{facts.notice} {uses_of(facts)}"),
            "license": [one_line(license_reference(text)) for text in facts.source.licenses],
            "citeAs": one_line(facts.source.citation or f"{title(facts)}, made with dfsynth"),
            "version": f"1.{facts.plannings - 1}.0",
            "keywords": ["synthetic", *facts.task.card.keywords, "uncertainty"],
            **({"isLiveDataset": True} if facts.counts is None else {}),
            **_responsible_use(facts),
            "distribution": list(_distribution(facts)),
            "recordSet": [_record_set(facts)],
        }
    )


def croissant_state(document: bytes) -> CardState:
    """What a document of `write_croissant` says of its store."""
    return CardState.UNFINISHED if _LIVE in document else CardState.FINISHED


def _responsible_use(facts: StoreFacts) -> dict[str, Json]:
    checkpoint, source = facts.checkpoint, facts.source
    if checkpoint is None:
        collection = f"Synthetic: {source.title}, computed by dfsynth's simulator."
    else:
        collection = (
            f"Synthetic: made by the generator {checkpoint.name} (sha256 {checkpoint.sha256}) from "
            f"{facts.task.card.inputs} of {source.title}."
        )
    return {
        "rai:dataCollection": one_line(collection),
        "rai:dataCollectionType": ["Secondary Data Analysis" if checkpoint else "Others"],
        "rai:dataCollectionMissingData": (
            "A row that failed keeps its place: NaN (0 in arrays of whole numbers), and in the "
            "manifest its status, an error code and a sentence."
        ),
        "rai:dataPreprocessingProtocol": [
            "Each image is letterboxed whole into the grid: grid = source × scale + offset."
            if checkpoint
            else facts.task.card.pairs_preparation
        ],
        "rai:dataUseCases": [uses_of(facts)],
        "rai:dataLimitations": [one_line(sentence) for sentence in limits_of(facts)],
        "rai:dataBiases": list(biases_of(facts)),
        "rai:personalSensitiveInformation": [personal_information(facts)],
    }


def _distribution(facts: StoreFacts) -> Iterator[Json]:
    parts = ArrayFiles(
        _PARTS,
        "manifest/part-*.parquet",
        "application/x-parquet",
        "One line for each row of the arrays; one part for each run shard.",
    )
    for files in (parts, *READING[facts.format].files(facts)):
        yield {
            "@type": "cr:FileSet",
            "@id": files.identifier,
            "name": files.identifier,
            "description": files.description,
            "encodingFormat": files.media_type,
            "includes": files.includes,
        }


def _record_set(facts: StoreFacts) -> dict[str, Json]:
    name = facts.schema.kind
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": "The manifest: what is known of each row of the arrays.",
        "key": {"@id": f"{name}/image_id"},
        "field": [_field(name, column) for column in facts.schema.columns],
    }


def _field(record_set: str, column: Column) -> dict[str, Json]:
    unit = "" if column.unit is None else f" (unit: {column.unit})"
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{column.name}",
        "name": column.name,
        "description": f"{column.description}{unit}",
        "dataType": _TYPES[column.type],
        **({"repeated": True} if column.type == "list<string>" else {}),
        "source": {"fileSet": {"@id": _PARTS}, "extract": {"column": column.name}},
    }
