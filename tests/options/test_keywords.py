"""The keywords of the Python interface are the options, by name and default; help lists them."""

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

import dfsynth
from dfsynth import options

FUNCTIONS: dict[Callable[..., Any], type[Any]] = {
    dfsynth.build: options.BuildOptions,
    dfsynth.export: options.ExportOptions,
    dfsynth.filter_store: options.FilterOptions,
    dfsynth.generate: options.GenerateOptions,
    dfsynth.simulate_pairs: options.SimulateOptions,
    dfsynth.train_generator: options.TrainOptions,
    dfsynth.evaluate_checkpoint: options.EvaluationOptions,
    dfsynth.draw_contact_sheet: options.ShowOptions,
    dfsynth.write_report: options.ReportOptions,
}
OF_ITS_OWN = {dfsynth.evaluate_checkpoint: {"out"}, dfsynth.generate: {"image"}}
"""Parameters that are no option."""
each = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)


@each
def test_the_signature_lists_every_option_with_its_default(function: Callable[..., Any]) -> None:
    listed = dict(inspect.signature(function).parameters)
    for name in {"progress", *OF_ITS_OWN.get(function, ())}:
        listed.pop(name, None)
    known = {field.name: field for field in fields(FUNCTIONS[function])}
    assert set(listed) == set(known)
    for name, parameter in listed.items():
        if parameter.default is not inspect.Parameter.empty:
            assert parameter.default == known[name].default, name
        assert parameter.annotation is not inspect.Parameter.empty, name


@each
def test_no_option_is_called_any(function: Callable[..., Any]) -> None:
    assert "Any" not in str(inspect.signature(function))


@pytest.mark.torch
@each
def test_a_misspelt_option_is_refused(function: Callable[..., Any]) -> None:
    required = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is inspect.Parameter.empty
    ]
    with pytest.raises(TypeError, match="mispelt"):
        function(**dict.fromkeys(required, "x"), mispelt=1)
