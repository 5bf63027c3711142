"""Patterns that are parts of models: copied, pickled and saved with them."""

from __future__ import annotations

import copy
import io
import pickle

import torch

from patternc import Pattern


class Attention(torch.nn.Module):
    """A layer as users write it."""

    def __init__(self, pattern: Pattern) -> None:
        super().__init__()
        self.pattern = pattern
        self.sinks = torch.nn.Parameter(torch.randn(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.pattern.attention(x, x, x, sinks=self.sinks)
        return out


def asked() -> Attention:
    """One that was asked already: a module of Python cannot be pickled."""
    model = Attention(Pattern.parse("param w = 2\ncausal\nlocal(left=w) with sink", w=3))
    model(torch.randn(1, 2, 9, 8))
    return model


def test_a_copy_of_a_model_shares_its_pattern_and_nothing_else() -> None:
    model, x = asked(), torch.randn(1, 2, 9, 8)
    again = copy.deepcopy(model)
    assert torch.equal(again(x), model(x))
    again.sinks.data += 1
    assert not torch.equal(again(x), model(x))
    assert again.pattern is copy.copy(model.pattern) is model.pattern


def test_a_saved_model_has_the_program_with_its_parameters() -> None:
    model, x, file = asked(), torch.randn(1, 2, 9, 8), io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    again = torch.load(file, weights_only=False)
    assert torch.equal(again(x), model(x))
    assert again.pattern.parameters == {"w": 3}
    assert again.pattern.text == model.pattern.text


def test_a_pattern_from_a_file_keeps_its_name() -> None:
    pattern = Pattern.from_zoo("bigbird")
    again = pickle.loads(pickle.dumps(pattern))
    assert again.name == "bigbird.pat"
    assert (again.mask(200) == pattern.mask(200)).all()
