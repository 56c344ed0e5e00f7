"""What users and other parts may rely on by name. Names may be added; none may go."""

import importlib
import inspect

import pytest

PROMISED: dict[str, set[str]] = {
    "dfsynth": {
        "Store",
        "__version__",
        "build",
        "draw_contact_sheet",
        "evaluate_checkpoint",
        "export",
        "filter_store",
        "generate",
        "join_members",
        "load_generator",
        "open_store",
        "simulate_pairs",
        "train_generator",
    },
    "dfsynth.checkpoint": {
        "CARD",
        "NETWORK",
        "SCORES",
        "WEIGHTS",
        "CascadeConfig",
        "CheckpointFiles",
        "ModelCard",
        "checkpoint_path",
        "encode_card",
        "read_checkpoint",
    },
    "dfsynth.cli": {"app", "main"},
    "dfsynth.decode": {"DecodeLimits", "decode"},
    "dfsynth.inference": {
        "MapBatch",
        "MonteCarlo",
        "CascadeGenerator",
        "dropout_masks",
        "load_network",
        "save_checkpoint",
    },
    "dfsynth.manifest": {
        "COLUMNS",
        "IMAGES",
        "IMAGE_SCHEMAS",
        "SCHEMA_VERSION",
        "pair_schema",
        "read_manifest",
        "select",
    },
    "dfsynth.models": {"Cascade", "Prediction", "gennorm_nll", "gennorm_sigma", "guide"},
    "dfsynth.options": {
        "BuildOptions",
        "EvaluationOptions",
        "ShowOptions",
        "FilterOptions",
        "SimulateOptions",
        "TrainOptions",
    },
    "dfsynth.preprocess": {
        "intensity_flags",
        "letterbox",
        "prepare",
        "to_grid",
        "to_source",
        "to_unit_range",
    },
    "dfsynth.report": {"SheetColumn", "SheetRow", "contact_sheet", "encode_png"},
    "dfsynth.score": {
        "LEARNED_SCORES",
        "NO_SCORES",
        "SCORERS",
        "SCORE_COLUMNS",
        "ScoreColumn",
        "Scorer",
        "score",
    },
    "dfsynth.records": {
        "Column",
        "Generated",
        "ManifestRow",
        "ModelInput",
        "PairItem",
        "SourceItem",
    },
    "dfsynth.simulation": {"Simulator"},
    "dfsynth.source": {"Corpus", "Source", "known_corpora", "open_source"},
    "dfsynth.store": {"ArrayReader", "ShardWriter", "StoreFormat", "StoreLayout", "format_of"},
    "dfsynth.train": {
        "Recipe",
        "TrainReport",
        "fidelity",
        "least_squares_discriminator",
        "least_squares_generator",
        "read_recipe",
        "residual_l1",
        "run_training",
    },
}


@pytest.mark.parametrize("package", sorted(PROMISED))
def test_promised_names_are_offered(package: str) -> None:
    offered = importlib.import_module(package).__all__
    assert PROMISED[package] <= set(offered)
    assert len(set(offered)) == len(offered)


@pytest.mark.parametrize("package", sorted(PROMISED))
def test_offered_names_exist(package: str) -> None:
    module = importlib.import_module(package)
    for name in module.__all__:
        assert getattr(module, name) is not None, name
        assert name == "__version__" or not name.startswith("_"), name
        assert not inspect.ismodule(getattr(module, name)), f"{name} is a module"


def test_an_unknown_name_is_an_attribute_error() -> None:
    module = importlib.import_module("dfsynth")
    with pytest.raises(AttributeError, match="'no_such_name'"):
        _ = module.no_such_name
