"""The program of a model's configuration.

Reads configurations as Transformers builds them, with the layers that it derives: what a file says
and what a model does are not the same. Families whose numbers mean something else than the usual
ones have an entry in `families`. Does not build models.
"""

from __future__ import annotations

import copy
import difflib
import json
from importlib import import_module
from pathlib import Path
from typing import Any

from patternc.bridges.transformers.families import (
    BOTH_SIDES,
    CAUSAL,
    ENCODERS,
    NO_PROGRAM,
    OWN_CODE,
    OWN_RULES,
    SINKS,
    SLIDING_SINKS,
    WINDOWS_WITH_END,
    WINDOWS_WITHOUT_END,
    layers_of,
)
from patternc.bridges.transformers.layer_rules import program_text


class ConfigurationError(ValueError):
    """A configuration that no program was found for, and why."""


def load_configuration(name: str, **changes: Any) -> Any:
    """A configuration from a file, a folder or a name of the local cache; nothing is downloaded.

    `changes` replace its values before layers are derived. Raises `ConfigurationError`.
    """
    path = Path(name)
    file = path / "config.json" if path.is_dir() else path
    if file.is_file():
        return _built(_read(file), changes)
    transformers = _transformers()
    try:
        found = transformers.AutoConfig.from_pretrained(name, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{name}: neither a file, nor a folder with config.json, nor a model in the local cache"
        ) from error
    return _built(found.to_dict(), changes) if changes else found


def _read(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file}: not a JSON file: {error}") from error
    if not isinstance(values, dict) or "model_type" not in values:
        raise ConfigurationError(f"{file}: no `model_type`; expected the config.json of a model")
    return values


def _built(values: dict[str, Any], changes: dict[str, Any]) -> Any:
    values = dict(values)
    family = values.pop("model_type")
    found = _of_family(family, {**values, **changes})
    if changes:
        _refuse_unused(family, _of_family(family, values).to_dict(), found.to_dict(), changes)
    return found


def _of_family(family: str, values: dict[str, Any]) -> Any:
    auto = _transformers().AutoConfig
    from huggingface_hub.errors import StrictDataclassError

    try:
        return auto.for_model(family, **copy.deepcopy(values))
    except (ValueError, KeyError, TypeError, StrictDataclassError) as error:
        reason = " ".join(str(error).partition(" Should contain one of")[0].split())
        raise ConfigurationError(f"{family}: Transformers cannot build it: {reason}") from error


def _refuse_unused(
    family: str, before: dict[str, Any], after: dict[str, Any], changes: dict[str, Any]
) -> None:
    """Refuses a change that Transformers keeps, as it does with any, and that changes nothing."""
    rest = [
        {name: each for name, each in values.items() if name not in changes}
        for values in (before, after)
    ]
    for name in changes:
        if name not in before and rest[0] == rest[1]:
            near = difflib.get_close_matches(name, [each for each in before if each[0] != "_"], 1)
            parts = [part for part, own in before.items() if isinstance(own, dict) and name in own]
            advice = f"; it is a value of `{parts[0]}`" if parts else ""
            advice = f"; did you mean `{near[0]}`?" if near else advice
            raise ConfigurationError(f"{family}: its configuration has no value `{name}`{advice}")


def _transformers() -> Any:
    try:
        import transformers
    except ImportError as error:
        raise ConfigurationError(
            "configurations are read by Transformers; pip install transformers"
        ) from error
    return transformers


def program_of(config: Any, part: str = "") -> str:
    """The program of a configuration as Transformers built it.

    `part` is "encoder" or "decoder": of a model of both, or of one of which it is not known whether
    it sees both sides. Raises `ConfigurationError`.
    """
    own = config.get_text_config()
    family = own.model_type
    if getattr(own, "num_attention_heads", None) is None:
        raise ConfigurationError(f"{family}: no attention heads, so no pairs")
    if family in NO_PROGRAM:
        raise ConfigurationError(f"{family}: {NO_PROGRAM[family]}")
    if getattr(config, "is_encoder_decoder", False) and not part:
        raise ConfigurationError(
            f"{family} has an encoder and a decoder with programs of their own; choose one "
            "as the part"
        )
    if family in OWN_RULES and part != "decoder":
        return _own_rules(own)
    if family not in OWN_CODE and not _calls_attention_functions(own):
        raise ConfigurationError(
            f"{family}: its attention is code of its own, which was not observed to be a program"
        )
    causal = _is_causal(config, own, part)
    rules = [_rule(own, layer, kind, causal) for layer, kind in enumerate(layers_of(own, part))]
    comments = [f"{family}, {len(rules)} layers"]
    if "none" in rules:
        comments.append(
            "`none`: a layer without pairs of queries and keys (recurrent, convolution)"
        )
    return program_text(rules, causal, comments)


def _calls_attention_functions(config: Any) -> bool:
    """Whether masks come from the functions that all models share."""
    name = type(config).__module__.replace("configuration_", "modeling_")
    try:
        return hasattr(import_module(name), "ALL_ATTENTION_FUNCTIONS")
    except ImportError:
        return False


def _own_rules(config: Any) -> str:
    """The program of a family with mask code of its own."""
    layers, remark = OWN_RULES[config.model_type]
    try:
        rules = layers(config)
    except ValueError as error:
        raise ConfigurationError(f"{config.model_type}: {error}") from error
    return program_text(rules, False, [f"{config.model_type}, {len(rules)} layers", remark])


def _is_causal(config: Any, own: Any, part: str) -> bool:
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    if part:
        return part == "decoder"
    family = own.model_type
    if family in BOTH_SIDES or getattr(own, "use_bidirectional_attention", None) in (True, "all"):
        return False
    if getattr(own, "is_decoder", False):
        return True
    if family in MODEL_FOR_MASKED_LM_MAPPING_NAMES or family in ENCODERS:
        return False
    whole = config.model_type if config is not own else ""
    known = {*MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, *CAUSAL}
    if family in known or whole in {*known, *MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES}:
        return True
    raise ConfigurationError(
        f"{family}: not known whether queries see later keys; say decoder (they do not) or encoder "
        "as the part"
    )


def _rule(config: Any, layer: int, kind: str, causal: bool) -> str:
    """The pattern of one layer, by what Transformers calls it."""
    match kind:
        case "full_attention" | "hybrid":
            found = "full"
        case "sliding_attention":
            found = _window(config, causal)
        case "chunked_attention":
            found = f"segment({config.attention_chunk_size})"
        case "none":
            return "none"
        case _:
            raise ConfigurationError(
                f"{config.model_type}: layer {layer} is {kind!r}, whose keys are compressed or "
                "chosen at run time; `full on pool(..)` and `listed(keys)` say such forms"
            )
    sinks = config.model_type in SINKS or (
        config.model_type in SLIDING_SINKS and kind == "sliding_attention"
    )
    cap = getattr(config, "attn_logit_softcapping", None)
    capped = f"{found} with softcap({cap:g})" if cap else found
    return f"{capped} with sink" if sinks else capped


def _window(config: Any, causal: bool) -> str:
    """A window of so many keys with the query, or as many on each side of it."""
    width, family = config.sliding_window, config.model_type
    if not isinstance(width, int) or width < 1:
        raise ConfigurationError(f"{family}: sliding_window is {width!r}")
    if causal:
        return f"local(left={width - 1})"
    if family in WINDOWS_WITH_END:
        return f"local({width})"
    if family in WINDOWS_WITHOUT_END:
        return f"local({width - 1})"
    raise ConfigurationError(
        f"{family}: a window on both sides holds w, w - 1 or w // 2 keys on each, by family; which "
        "of them is not known here"
    )
