"""What a file holds on demand: parts that few of its callers need, by the names of `--with`."""

from __future__ import annotations

from collections.abc import Iterable

FEATURES = {
    "dropout": "dropout= and seed=",
    "messages": "what stands here for arguments of other libraries; a line while kernels compile",
    "strict-keys": "STRICT_KEYS, for keys and values that are NaN or infinite",
    "transforms": "torch.func: grad, vjp, jacrev and vmap",
    "weights": "return_weights=",
}
EVERY = ("all",)


def chosen_features(names: Iterable[str]) -> frozenset[str]:
    """Features by name; "all" are all. Raises `ValueError` for an unknown name."""
    asked = frozenset(names)
    for name in sorted(asked - FEATURES.keys() - {*EVERY}):
        listed = ", ".join(FEATURES)
        raise ValueError(f"unknown feature {name!r}; expected one of {listed}, or 'all'")
    return frozenset(FEATURES) if "all" in asked else asked


def features_in_use(chosen: frozenset[str], has_cpu: bool) -> dict[str, bool]:
    """Templates have branches for these. The CPU path brings dropout with it."""
    held = chosen | {"dropout"} if has_cpu else chosen
    return {name.replace("-", "_"): name in held for name in FEATURES}
