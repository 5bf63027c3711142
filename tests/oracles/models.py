"""Programs for the masks of models, one small function a family, from what a file records."""

from __future__ import annotations

from math import ceil

import numpy as np

from tests.oracles.writers import Observed, Written, labels, lines, rules, writes

# Windows: Longformer, LED, LongT5, decoders.


@writes("hf_longformer", "hf_led_encoder")
def longformer(observed: Observed) -> Written:
    config = observed.config
    n, chosen = config["n"], config["global_indices"]
    everywhere = f" + global({chosen})" if chosen else ""
    layers = [f"local({window // 2}){everywhere}" for window in config["attention_window"]]
    text = rules("layer", layers) if len(layers) > 1 else lines(layers[0])
    valid = config.get("valid_keys", n)
    if valid == n:
        return Written(text, config["layer"])
    return Written(lines(f"same(valid) & ({layers[0]})"), inputs={"valid": labels(valid, n)})


@writes("allenai_longformer_slidingchunks")
def sliding_chunks(observed: Observed) -> Written:
    return Written(lines(f"local({observed.config['w']})"))


@writes("allenai_longformer_nooverlap")
def sliding_chunks_without_overlap(observed: Observed) -> Written:
    return Written(lines(f"segment({observed.config['w']}, back=1, ahead=1)"))


@writes("hf_longt5_local", "hf_longt5_tglobal_r7_g16_n12_noglobal")
def longt5(observed: Observed) -> Written:
    return Written(lines(f"local({observed.config['local_radius']})"))


@writes("hf_longt5_tglobal")
def longt5_transient_global(observed: Observed) -> Written:
    """Leftover tokens join the last block. Blocks of padding are no keys, rows of it are empty."""
    config = observed.config
    n, valid, block = config["n"], config["valid_keys"], config["global_block_size"]
    pool = f"pool({block}, sum, tail=merge)"
    local = f"local({config['local_radius']})"
    if valid == n:
        return Written(lines(f"{local} + full on {pool}"), tokens=n)
    slots = f"columns([0:{valid // block}]) & rows([0:{valid}])"
    text = lines(f"same(valid) & {local} + ({slots}) on {pool}")
    return Written(text, inputs={"valid": labels(valid, n)}, tokens=n, padding=n - valid)


@writes("hf_longt5_local_module_maskNone")
def longt5_without_mask(observed: Observed) -> Written:
    return Written(lines(f"segment({observed.config['local_radius'] + 1}, back=1, ahead=1)"))


@writes("hf_mistral", "hf_phi3", "hf_starcoder2")
def sliding_window_decoder(observed: Observed) -> Written:
    return Written(lines("causal", f"local(left={observed.config['sliding_window'] - 1})"))


@writes("hf_gemma2", "hf_gemma3", "hf_qwen2", "hf_gpt_oss")
def mixed_decoder(observed: Observed) -> Written:
    window = observed.config["sliding_window"] - 1
    kinds = {"sliding_attention": f"local(left={window})", "full_attention": "full"}
    patterns = [kinds[kind] for kind in observed.config["layer_types"]]
    return Written(rules("layer", patterns, "causal"), observed.config["layer"])


@writes("hf_gpt_neo")
def gpt_neo(observed: Observed) -> Written:
    local = f"local(left={observed.config['window_size'] - 1})"
    return Written(
        lines("causal", "layers 2", "layer % 2 == 0 -> full", f"else -> {local}"),
        observed.config["layer"],
    )


@writes("hf_maskfn_chunked_c8")
def chunked(observed: Observed) -> Written:
    return Written(lines("causal", "segment(8)"))


@writes("hf_maskfn_swa_bidir_w8")
def two_sided_window(observed: Observed) -> Written:
    return Written(lines("local(8)"))


@writes("adaptive_span")
def adaptive_span(observed: Observed) -> Written:
    """The support: the query itself is left out, the ramp ends where its factor reaches 0."""
    config = observed.config
    span, ramp = config["attn_span"], config["ramp"]
    reach = [min(span, ceil(ramp + z * span)) for z in config["z"]]
    reach = reach if config["enabled"] else [span] * observed.heads
    windows = [f"local(left={left}, right=-1)" for left in reach]
    patterns = [f"{window} on memory({span}) + {window}" for window in windows]
    return Written(rules("head", patterns), tokens=config["block"])


@writes("nsa_causal")
def native_sparse_sliding(observed: Observed) -> Written:
    return Written(lines("causal", f"local(left={observed.config['sliding_window_size']})"))


@writes(
    "nsa_bidir_n64_w8_c4s4_b4_k2_H2_compressed",
    "nsa_causal_n6_w8_c4s4_b4_k2_H2_tiny_compressed",
    "nsa_causal_n61_w8_c4s4_b8_k2_H4kv2_nonmultiple_compressed",
    "nsa_causal_n64_w8_c4s4_b4_k2_H2_compressed",
)
def native_sparse_compressed(observed: Observed) -> Written:
    """A block that ends at the query itself is not seen; the file has a column for each token."""
    config = observed.config
    n, size = config["n"], config["compress_block_size"]
    seen = f"where({size} * (j + 1) <= i)" if config["causal"] else "full"
    text = lines(f"{seen} on pool({size}, mean, tail=drop)")
    return Written(text, tokens=n, columns=slice(0, n // size * size, size))


@writes("hf_transfoxl")
def transformer_xl(observed: Observed) -> Written:
    """With no memory at all, keys of the same length would be none: the code masks nothing."""
    memory, n = observed.config["mem_len"], observed.config["qlen"]
    same = observed.config["same_length"]
    if not memory:
        return Written(lines("full") if same else lines("causal"))
    seen = f"local(left={memory - 1})" if same else "full"
    return Written(lines("causal", f"{seen} on memory({memory}) + {seen}"), tokens=n)


@writes("compressive")
def compressive(observed: Observed) -> Written:
    """Memories begin empty and fill up from segment to segment."""
    config = observed.config
    compressed = f"full on compressed({config['cmem_len']}, rate={config['cmem_ratio']})"
    text = lines("causal", f"{compressed} + full on memory({config['mem_len']}) + full")
    sizes = {"memory": config["mem_now"], "compressed": config["cmem_now"]}
    return Written(text, tokens=config["seq_len"], sizes=sizes)


# BigBird, Reformer, LongNet: lists and repeated keys.


@writes("hf_bigbird")
def bigbird(observed: Observed) -> Written:
    config = observed.config
    n, block = config["n"], config["block_size"]
    plans = bigbird_plans(observed.arrays["rand_plan"])
    valid = config["valid_keys"]
    within = "" if valid == n else "same(valid) & "
    inputs = plans if valid == n else {**plans, "valid": labels(valid, n)}
    branches = ["local(1) + global([0, -1])", *(f"listed({name})" for name in plans)]
    lifted = [f"{within}blocks({block}) {{ {branch} }}" for branch in branches]
    counts = observed.arrays["counts"]
    text = lines(f"mix({', '.join(lifted)})")
    return Written(text, inputs=inputs, counts=counts, count_block=block)


@writes("hf_bigbird_plan")
def bigbird_block_level(observed: Observed) -> Written:
    plans = bigbird_plans(observed.arrays["rand_plan"])
    branches = ["local(1) + global([0, -1])", *(f"listed({name})" for name in plans)]
    text = lines(f"mix({', '.join(branches)})")
    return Written(text, inputs=plans, counts=observed.arrays["counts"])


def bigbird_plans(plan: np.ndarray) -> dict[str, np.ndarray]:
    """Lists [heads, rows, k]; the first and last block row draw nothing.

    A list counts a repeated entry once, the released code once for each: one list a column then.
    """
    padded = np.pad(plan, ((0, 0), (1, 1), (0, 0)), constant_values=-1)
    ordered = np.sort(plan, axis=-1)
    if (ordered[..., 1:] != ordered[..., :-1]).all():
        return {"plan": padded}
    return {f"plan{at}": padded[..., at : at + 1] for at in range(plan.shape[-1])}


@writes("hf_reformer_local")
def reformer_local(observed: Observed) -> Written:
    """Chunks are circular, which a program says for one number of chunks by `where`."""
    config = observed.config
    n, length = config["n"], config["local_attn_chunk_length"]
    back, ahead = config["local_num_chunks_before"], config["local_num_chunks_after"]
    if config["is_decoder"]:
        return Written(lines("causal", f"segment({length}, back={back}, ahead={ahead})"))
    chunks = -(-n // length)
    steps = [
        f"where((j // {length} - i // {length}) % {chunks} == {step % chunks})"
        for step in range(-back, ahead + 1)
    ]
    if config["valid_keys"] == n:
        return Written(lines(f"mix({', '.join(steps)})"), counted="weights" in observed.arrays)
    valid = np.arange(n) < config["valid_keys"]
    return Written(lines(f"columns(valid) & ({' + '.join(steps)})"), inputs={"valid": valid})


@writes("torchscale_longnet")
def longnet(observed: Observed) -> Written:
    config, heads = observed.config, observed.heads
    branches = [
        f"segment({width}, dilation={rate}, offset=head // ((heads + {rate - 1}) // {rate}))"
        if rate > 1
        else f"segment({width})"
        for width, rate in zip(config["segment_length"], config["dilated_ratio"], strict=True)
    ]
    header = ["causal"] if config["is_causal"] else []
    body = f"mix({', '.join(branches)})"
    return Written(lines(*header, f"heads {heads}", body), softmax=config["scores"] == "random")


@writes("dilated_attention_pytorch")
def dilated_attention(observed: Observed) -> Written:
    """Each head has the branches of the groups that cover it; unequal groups overlap."""
    config, heads = observed.config, observed.heads
    branches = list(zip(config["segment_lengths"], config["dilation_rates"], strict=True))
    sizes = [heads // len(branches)] * len(branches)
    for at in range(heads % len(branches)):
        sizes[at] += 1
    covering: list[list[str]] = [[] for _ in range(heads)]
    for at, ((width, rate), size) in enumerate(zip(branches, sizes, strict=True)):
        for head in range(at * size, (at + 1) * size):
            term = f"segment({width}, dilation={rate}, offset={at % rate})"
            covering[head].append(term)
    patterns = [" + ".join(terms) or "none" for terms in covering]
    header = ["causal"] if config["is_causal"] else []
    return Written(rules("head", patterns, *header))


@writes("sled")
def windows_that_keep_a_row(observed: Observed) -> Written:
    """One layer: every row sees the window that keeps it; the last window ends at n."""
    config = observed.config
    size, prefix = config["context_size"], config["prefix"]
    margin = int(size * (1 - config["window_fraction"]) / 2)
    stride = size - 2 * margin
    nearest = f"max(i - {prefix + margin}, 0) // {stride} * {stride}"
    start = f"max(min({nearest}, n - {prefix + size}), 0)"
    window = f"where({start} <= j - {prefix} < {start} + {size})"
    if not prefix:
        return Written(lines(window))
    return Written(lines(f"columns([0:{prefix}]) + ({window} - rows([0:{prefix}]))"))
