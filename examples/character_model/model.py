"""A character language model whose attention is a pattern, and the text it learns.

the docstrings of the standard library -> characters -> `Model` -> the next character
"""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from patternc import Pattern
from patternc.nn import Attention, Cache

FOLDER = Path(__file__).parent
CHARACTERS = "\n" + "".join(map(chr, range(32, 127)))
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def text() -> str:
    """The docstrings of the standard library's modules, by file name."""
    found = []
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        nodes = ast.walk(ast.parse(path.read_bytes()))
        documented = [node for node in nodes if isinstance(node, _DOCUMENTED)]
        found += [ast.get_docstring(node) or "" for node in documented]
    return "\n".join(filter(None, found))


def encode(characters: str) -> Tensor:
    """Numbers of CHARACTERS; what is not among them is left out."""
    known = {character: number for number, character in enumerate(CHARACTERS)}
    return torch.tensor([known[one] for one in characters if one in known])


class TorchAttention(nn.Module):
    """Causal attention by torch alone, with the parameters and rotation of `Attention` here."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, states: Tensor) -> tuple[Tensor, None]:
        together = functional.linear(states, self.in_proj_weight, self.in_proj_bias)
        parts = together.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        q, k, v = self.rotated(parts[0]), self.rotated(parts[1]), parts[2]
        out = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out_proj(out.transpose(1, 2).flatten(2)), None

    @staticmethod
    def rotated(states: Tensor) -> Tensor:
        """Dimensions 2t and 2t + 1 turned by position / 10000^(2t / dimensions)."""
        n, dimensions = states.shape[2:]
        angles = torch.arange(n)[:, None] / 10000 ** (torch.arange(0, dimensions, 2) / dimensions)
        turned = torch.view_as_complex(states.unflatten(3, (-1, 2)).contiguous())
        return torch.view_as_real(turned * torch.polar(torch.ones_like(angles), angles)).flatten(3)


class Block(nn.Module):
    """Attention and a feed-forward layer, each behind a normalization and added."""

    def __init__(self, width: int, attention: nn.Module) -> None:
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.attention = attention
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, states: Tensor, **cached: Cache) -> Tensor:
        states = states + self.attention(self.norms[0](states), **cached)[0]
        return states + self.narrow(functional.gelu(self.widen(self.norms[1](states))))


class Model(nn.Module):
    """Characters [batch, n] -> logits of the next ones [batch, n, characters]."""

    def __init__(self, pattern: Pattern | None, width: int = 128, heads: int = 4) -> None:
        """The attention of layer l is `pattern`'s layer l; None: torch's own causal attention."""
        super().__init__()
        self.embedding = nn.Embedding(len(CHARACTERS), width)
        layers = 4 if pattern is None else pattern.layers or 4
        self.blocks = nn.ModuleList(
            Block(
                width,
                TorchAttention(width, heads)
                if pattern is None
                else Attention(width, heads, pattern, layer=layer),
            )
            for layer in range(layers)
        )
        self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, len(CHARACTERS))

    def forward(self, characters: Tensor, **cached: Cache) -> Tensor:
        states = self.embedding(characters)
        for block in self.blocks:
            states = block(states, **cached)
        return self.out(self.norm(states))

    def loss(self, characters: Tensor) -> Tensor:
        """Nats per character, of the characters behind the first."""
        logits = self(characters[:, :-1])
        return functional.cross_entropy(logits.flatten(0, 1), characters[:, 1:].flatten())

    @torch.no_grad()
    def write(self, beginning: str, length: int, temperature: float = 0.7) -> str:
        """`length` further characters, sampled; each is one query on a cache of keys."""
        cache, last, written = Cache(), encode(beginning)[None], []
        for _ in range(length):
            logits = self(last, cache=cache)[0, -1] / temperature
            last = torch.multinomial(logits.softmax(-1), 1)[None]
            written.append(CHARACTERS[int(last)])
        return beginning + "".join(written)
