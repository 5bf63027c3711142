"""Programs for streaming speech models: Emformer, chunks, Mimi and moshi."""

from __future__ import annotations

import re

from patternc.zoo import published
from tests.oracles.systems import example
from tests.oracles.writers import Observed, Written, lines, writes


@writes("torchaudio_emformer_streams")
def emformer(observed: Observed) -> Written:
    """The rows and columns of the copies come first in the code; frames' rows are compared."""
    config = observed.config
    size, left = config["segment_length"], config["left_context_length"]
    right = config["right_context_length"]
    frames = int(observed.meta["Lq"])
    segments = next(s for s in range(1, frames) if -(-(frames - s * right) // size) == s)
    text = published("emformer")
    for name, value in {"segments": segments, "size": size, "left": left, "right": right}.items():
        text = re.sub(rf"(param {name} =) \d+", rf"\1 {value}", text)
    copies = segments * right
    order = (*range(copies, frames), *range(copies))
    return Written(text, tokens=frames - copies, rows=slice(copies, None), columns=order)


@writes("nemo_chunked")
def fastconformer(observed: Observed) -> Written:
    config = observed.config
    return Written(example("fastconformer", left=config["left"], right=config["right"]))


@writes("nemo_local")
def fastconformer_local(observed: Observed) -> Written:
    config = observed.config
    window = f"local(left={config['left']}, right={config['right']})"
    first = [config["spacing"] * number for number in range(config["count"])]
    changes = ("local(128)", window), ("first = [0]", f"first = {first}")
    return Written(example("fastconformer_local", *changes), counted=True)


@writes("speechbrain_dct")
def dynamic_chunks(observed: Observed) -> Written:
    config = observed.config
    return Written(lines(f"segment({config['chunk_size']}, back={config['left_context_size']})"))


@writes("hf_seamless_v2")
def seamless(observed: Observed) -> Written:
    config = observed.config
    before = config["speech_encoder_left_chunk_num"]
    return Written(lines(f"segment({config['speech_encoder_chunk_size']}, back={before})"))


@writes("hf_mimi")
def mimi(observed: Observed) -> Written:
    return Written(lines("causal", f"local(left={observed.config['sliding_window'] - 1})"))


@writes("moshi_attention")
def moshi(observed: Observed) -> Written:
    return Written(lines("causal", f"local(left={observed.config['context'] - 1})"))
