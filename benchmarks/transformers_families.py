"""The programs of Transformers' model families, observed: docs/transformers-families.md.

For every language model, and every family whose configuration states a window, chunks, layer types
or a cap: a small random model, the program that `patternc import` writes, and what `patternc audit`
finds.

    python benchmarks/transformers_families.py --output docs/transformers-families.md
"""

from __future__ import annotations

import argparse
import signal
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import transformers
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

from patternc.bridges.transformers.audit import audit
from patternc.bridges.transformers.configurations import ConfigurationError, program_of
from patternc.bridges.transformers.families import OWN_CODE, OWN_RULES
from patternc.bridges.transformers.small_models import small_model, small_values

STATES = (
    "sliding_window",
    "layer_types",
    "attention_chunk_size",
    "local_attention",
    "attn_logit_softcapping",
    "sliding_window_size",
)
LAYERS = 9
OWN = dict.fromkeys((*STATES[:1], *STATES[2:4], STATES[5]), 6)
SECONDS = 30
LANGUAGE_MODELS = {*MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, *MODEL_FOR_MASKED_LM_MAPPING_NAMES}
# What a reader of a configuration would not expect; the rest of the page is computed.
TRAPS = {
    "cohere_compass_text": "its sliding_window_pattern is never looked at",
    "cwm": "the schedule begins with a full layer",
    "embedding_gemma2_text": "w keys on each side, not w in all",
    "flint": "two full layers first, the last one forced to be full",
    "gemma4_text": "the last layer is full, whatever layer_types says",
    "granite_swa": "the schedule begins with a full layer",
    "granitemoe_swa": "the schedule begins with a full layer",
    "laguna": "a window is set, and no layer uses it",
    "llama4_text": "chunks count from the first token that is not padding",
    "mellum": "a window is set, and no layer uses it",
    "mimo_v2_flash": "sinks in layers with a window alone",
    "modernbert": "local_attention counts both sides",
    "modernbert-decoder": "local_attention // 2 keys with the query",
    "moshi": "its window has no effect",
    "openai_privacy_filter": "w keys on each side, not w in all",
    "qwen2": "use_sliding_window is False by default",
    "qwen2_moe": "use_sliding_window is False by default",
    "qwen3": "use_sliding_window is False by default",
    "smollm3": "use_sliding_window is False by default",
    "ultrabert": "w keys on each side, not w in all",
}


@dataclass(frozen=True)
class Row:
    family: str
    rule: str
    verdict: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path)
    parser.add_argument("families", nargs="*")
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    signal.signal(signal.SIGALRM, _too_long)
    rows = [row for name in given.families or sorted(CONFIG_MAPPING_NAMES) if (row := _row(name))]
    text = page(rows)
    if given.output:
        given.output.write_text(text, encoding="utf-8")
    else:
        print(text)


def _too_long(*_: object) -> None:
    raise TimeoutError(f"more than {SECONDS} s")


def _row(family: str) -> Row | None:
    """The row of a family; None where its configuration states no rule of its own."""
    try:
        values = transformers.AutoConfig.for_model(family).to_dict()
    except Exception:
        return None
    states = any(values.get(name) is not None for name in STATES)
    if "text_config" in values or not (states or family in LANGUAGE_MODELS):
        return None
    signal.alarm(SECONDS)
    try:
        return _observed(family, values)
    except Exception as error:
        return Row(family, "", f"not built: {_short(error)}")
    finally:
        signal.alarm(0)


def _observed(family: str, values: dict[str, Any]) -> Row:
    own = {name: size for name, size in OWN.items() if values.get(name) is not None}
    layers = {"num_hidden_layers": LAYERS} if values.get("num_hidden_layers") else {}
    config = transformers.AutoConfig.for_model(family, **small_values(values), **own, **layers)
    try:
        text = program_of(config)
    except ConfigurationError as error:
        return Row(family, "", f"refused: {_short(error)}")
    rule = "; ".join(line for line in text.splitlines() if not line.startswith(("#", "layers")))
    if family in OWN_RULES:
        but = " but for the random blocks" if "random(" in rule else ""
        return Row(family, rule, f"equal in `tests/models` or `tests/bridges`{but}")
    if family in OWN_CODE:
        return Row(family, rule, "equal in one layer, token by token")
    try:
        seen = audit(small_model(config), text, n=20)
    except Exception as error:
        return Row(family, rule, f"not observed: {_short(error)}")
    if seen.wrong is None:
        return Row(family, rule, f"equal in {len(seen.situations)} situations")
    first = str(seen.wrong).splitlines()[0]
    return Row(family, rule, f"**differs**: {first}")


def _short(error: Exception) -> str:
    text = (str(error).splitlines() or [type(error).__name__])[0].replace("|", "/")
    return text if len(text) <= 100 else text[:97] + "..."


def page(rows: list[Row]) -> str:
    equal = sum(row.verdict.startswith("equal") for row in rows)
    lines = [
        "# The attention patterns of Transformers' model families",
        "",
        f"Written by `python benchmarks/transformers_families.py` with transformers "
        f"{transformers.__version__}: {len(rows)} language models and families whose "
        f"configuration states a rule, {equal} of them observed to follow the program.",
        "",
        f"Rules are those of {LAYERS} layers and a window, or chunk, of 6. *Equal* means that the "
        "pairs that act in a small random model are those of the program in every layer and head: "
        "at 20 and 11 tokens, padded on the left and on the right, and in a step with a cache; "
        "where attention is code of the family's own, those by which a token changes the output of "
        "one layer. "
        "Models that need images or sound, and sizes that a small model cannot have, are not "
        "observed.",
        "",
        "| family | rule | trap | verdict |",
        "|---|---|---|---|",
    ]
    for row in rows:
        rule = f"`{row.rule}`" if row.rule else ""
        lines.append(f"| {row.family} | {rule} | {TRAPS.get(row.family, '')} | {row.verdict} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
