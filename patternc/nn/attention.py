"""Multi-head attention with a pattern, as a torch module.

    hidden states -> projections -> `Pattern.attention` -> output projection

Parameters have the names and shapes of `torch.nn.MultiheadAttention`, whose state dict it loads, so
that it takes that module's place where the mask is a pattern. Does not compute attention weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from patternc.nn.arguments import real_keys, refuse_masks
from patternc.nn.learned import Sizes, learned_parts, projections
from patternc.pattern import Pattern

if TYPE_CHECKING:
    from patternc.nn.cache import Cache
    from patternc.runtime.call import Backend


class Attention(nn.Module):
    """Multi-head attention over a pattern.

    >>> import torch
    >>> from patternc.nn import Attention
    >>> attention = Attention(64, 4, "local(8) + global([0])", num_kv_heads=2)
    >>> out, _ = attention(torch.randn(2, 100, 64))
    >>> out.shape
    torch.Size([2, 100, 64])

    `pattern` is a `Pattern`, or its text; what it names (`heads`) must fit. `embed_dim` is the
    width of the hidden states, `kdim` and `vdim` those of keys and values; `num_kv_heads` heads of
    keys are shared by neighbouring query heads; `head_dim` is embed_dim / num_heads unless given.
    `bias` is that of all projections, `dropout` the share of weights dropped in training. `layer`
    is the layer of the pattern that the module is; None: one module for all, chosen by each call.
    `batch_first` is True unless given, where torch's is False.

    What the pattern learns (tables of `t5` and `relative`, sinks, gates, persistent keys and
    values) are parameters in `learned`; projections of their own are in `projections`. Both start
    from `reset_parameters`. Other run-time inputs are given to each call.
    """

    in_proj_weight: nn.Parameter | None
    q_proj_weight: nn.Parameter | None
    k_proj_weight: nn.Parameter | None
    v_proj_weight: nn.Parameter | None
    in_proj_bias: nn.Parameter | None
    projections: nn.ModuleDict

    # `nn.TransformerEncoderLayer` asks this before it computes plain attention from the parameters
    # by itself, which False prevents.
    _qkv_same_embed_dim = False

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        pattern: Pattern | str,
        *,
        dropout: float = 0.0,
        bias: bool = True,
        kdim: int | None = None,
        vdim: int | None = None,
        num_kv_heads: int | None = None,
        head_dim: int | None = None,
        layer: int | None = None,
        batch_first: bool = True,
        backend: Backend = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.pattern = pattern if isinstance(pattern, Pattern) else Pattern(pattern)
        self.embed_dim, self.num_heads = embed_dim, num_heads
        self.num_kv_heads = num_heads if num_kv_heads is None else num_kv_heads
        self.head_dim = embed_dim // max(num_heads, 1) if head_dim is None else head_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.dropout, self.layer = dropout, layer
        self.batch_first, self.backend = batch_first, backend
        self._check(head_dim)
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        self._make_projections(bias, made)
        self.out_proj = nn.Linear(num_heads * self.head_dim, embed_dim, bias, **made)
        sizes = Sizes(num_heads, self.num_kv_heads, self.head_dim)
        self._parts = learned_parts(self.pattern, layer, sizes)
        self.learned = nn.ParameterDict(
            {name: torch.empty(part.shape, **made) for name, part in self._parts.items()}
        )
        self.projections = nn.ModuleDict(
            {
                name: nn.Linear(embed_dim, sum(self._widths), bias, **made)
                for name in projections(self.pattern, layer)
            }
        )
        self.reset_parameters()

    def _check(self, head_dim: int | None) -> None:
        if self.embed_dim < 1 or self.num_heads < 1:
            raise ValueError(
                f"embed_dim is {self.embed_dim} and num_heads {self.num_heads}; expected 1 or more"
            )
        if head_dim is None and self.embed_dim % self.num_heads:
            raise ValueError(
                f"embed_dim {self.embed_dim} is no multiple of num_heads {self.num_heads}; give "
                "head_dim"
            )
        if self.num_kv_heads < 1 or self.num_heads % self.num_kv_heads:
            raise ValueError(
                f"num_kv_heads is {self.num_kv_heads}; expected a divisor of {self.num_heads} heads"
            )
        if self.pattern.heads not in (None, self.num_heads):
            raise ValueError(
                f"the pattern has {self.pattern.heads} heads, the module {self.num_heads}"
            )
        if self.layer is not None and not 0 <= self.layer < (self.pattern.layers or self.layer + 1):
            raise ValueError(f"layer is {self.layer}; the pattern has {self.pattern.layers} layers")

    @property
    def _widths(self) -> list[int]:
        """The widths of all queries, keys and values."""
        of_keys = self.num_kv_heads * self.head_dim
        return [self.num_heads * self.head_dim, of_keys, of_keys]

    def _make_projections(self, bias: bool, made: dict[str, Any]) -> None:
        """One weight where queries, keys and values have the same width, else three."""
        widths, sources = self._widths, (self.embed_dim, self.kdim, self.vdim)
        names = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
        together = len(set(sources)) == 1
        whole = torch.empty(sum(widths), self.embed_dim, **made) if together else None
        self.in_proj_weight = None if whole is None else nn.Parameter(whole)
        for name, width, source in zip(names, widths, sources, strict=True):
            own = None if together else nn.Parameter(torch.empty(width, source, **made))
            self.register_parameter(name, own)
        self.in_proj_bias = nn.Parameter(torch.empty(sum(widths), **made)) if bias else None

    def reset_parameters(self) -> None:
        """As `torch.nn.MultiheadAttention` does; learned parts as their papers do, or from 0."""
        for weight in self._weights():
            nn.init.xavier_uniform_(weight)
        for name, parameter in self.projections.named_parameters():
            if name.endswith("weight"):
                nn.init.xavier_uniform_(parameter)
        biases = [self.in_proj_bias, self.out_proj.bias]
        biases += [one for name, one in self.projections.named_parameters() if "bias" in name]
        for bias in biases:
            if bias is not None:
                nn.init.zeros_(bias)
        for name, part in self._parts.items():
            part.reset(self.learned[name])

    def _weights(self) -> list[Tensor]:
        every = self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight
        return [weight for weight in every if weight is not None]

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = False,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
        *,
        layer: int | None = None,
        cache: Cache | None = None,
        start: int | None = None,
        positions: Tensor | None = None,
        cache_lengths: Tensor | None = None,
        **inputs: Any,
    ) -> tuple[Tensor, None]:
        """Hidden states [batch, queries, embed_dim] to as many, and None for the weights.

        `key` and `value` are the query's states unless given; of another length they are the n keys
        of which the queries are the last (`full on encoder` takes them as another sequence).
        `key_padding_mask`, booleans [batch, n], is True for padding, as in torch, or floats -inf
        for padding and 0; rows of padding give the bias of `out_proj`. It is that of `key`: of an
        encoder, the slots are then its real keys alone. With a `cache` the keys are those of all
        calls with it so far, and so is the mask: [batch, n so far] at every call; a pattern with
        later keys gives other numbers in steps, which see none that is yet to come.
        `start`, `positions`, `cache_lengths` and run-time `inputs` as `Pattern.attention` takes
        them.

        Raises `ValueError` for `attn_mask`, `is_causal` and `need_weights`: the mask is the
        pattern, and weights are never held.
        """
        del average_attn_weights
        refuse_masks(attn_mask, is_causal, need_weights)
        states = [query, query if key is None else key]
        states.append(states[1] if value is None else value)
        unbatched = query.dim() == 2
        states = [self._batch_first(part, unbatched) for part in states]
        number = self._layer(layer)
        q, k, v = self._projected(*states)
        given = self._given(states[0], inputs)
        of_tokens = not self._on_encoder(states, given)
        if of_tokens and cache is not None:
            cache.check(q.shape[0], padded=key_padding_mask is not None)
            k, v = cache.update((self, number), k, v)
        padding = key_padding_mask, q, k, unbatched
        tokens: tuple[Tensor | None, Tensor | None] = k, v
        if not of_tokens:
            given["encoder_kv"], tokens = (k, v), (None, None)
        out = self.pattern.attention(
            q,
            *tokens,
            layer=number or 0,
            dropout=self.dropout if self.training else 0.0,
            backend=self.backend,
            key_padding=real_keys(*padding, of_tokens=of_tokens, cache=cache),
            start=start,
            positions=positions,
            cache_lengths=cache_lengths,
            **given,
        )
        found: Tensor = self.out_proj(out.transpose(1, 2).flatten(2))
        if unbatched:
            return found[0], None
        return found if self.batch_first else found.transpose(0, 1), None

    def _batch_first(self, states: Tensor, unbatched: bool) -> Tensor:
        if unbatched:
            return states[None]
        return states if self.batch_first else states.transpose(0, 1)

    def _layer(self, layer: int | None) -> int | None:
        """The layer of the pattern."""
        if layer is not None and self.layer is not None and layer != self.layer:
            raise ValueError(f"layer is {layer}; this module is layer {self.layer}")
        layer = self.layer if layer is None else layer
        if layer is None and (self.pattern.layers or 1) > 1:
            raise ValueError(
                f"the pattern has {self.pattern.layers} layers; give layer= here or to the module"
            )
        return layer

    def _projected(self, query: Tensor, key: Tensor, value: Tensor) -> list[Tensor]:
        """q [batch, heads, queries, head_dim], k and v [batch, kv_heads, n, head_dim]."""
        widths = self._widths
        if query is key is value and self.in_proj_weight is not None:
            whole = functional.linear(query, self.in_proj_weight, self.in_proj_bias)
            parts = torch.split(whole, widths, -1)
        else:
            weights = self._weights()
            own = torch.split(weights[0], widths) if len(weights) == 1 else weights
            biases: tuple[Tensor | None, ...] = (None, None, None)
            if self.in_proj_bias is not None:
                biases = torch.split(self.in_proj_bias, widths)
            every = zip((query, key, value), own, biases, strict=True)
            parts = tuple(functional.linear(*each) for each in every)
        return [self._heads(part) for part in parts]

    def _heads(self, part: Tensor) -> Tensor:
        return part.view(*part.shape[:2], part.shape[2] // self.head_dim, self.head_dim).transpose(
            1, 2
        )

    def _given(self, query: Tensor, inputs: dict[str, Any]) -> dict[str, Any]:
        """The run-time inputs: what is learned, what other projections give, and the call's."""
        given: dict[str, Any] = {}
        for name, parameter in self.learned.items():
            source, _, part = name.rpartition("_")
            if source != "persistent_kv":
                given[name] = parameter
            elif part == "k":
                given[source] = (parameter, self.learned["persistent_kv_v"])
        for name, projection in self.projections.items():
            parts = torch.split(projection(query), self._widths, -1)
            given[name] = tuple(self._heads(part) for part in parts)
        return {**given, **inputs}

    def _on_encoder(self, states: list[Tensor], given: dict[str, Any]) -> bool:
        """Are keys of another sequence those of the pattern's encoder?"""
        if states[0] is states[1] or "encoder_kv" in given:
            return False
        return any(item.role == "encoder" for item in self.pattern.inputs)

    def extra_repr(self) -> str:
        shared = "" if self.num_kv_heads == self.num_heads else f", {self.num_kv_heads} of keys"
        return f"{self.embed_dim}, {self.num_heads} heads{shared}, {self.pattern!r}"
