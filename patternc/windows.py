"""Windows of other libraries as programs: one function for each row of the manual's table.

"Windows in other libraries" (`grammar/README.md`) says which keys each of them sees. Every function
returns the text of a program; numbers that the library would not take raise `ValueError`.

    >>> from_mistral(4096)
    'local(left=4095)'
    >>> from_flash_attention(256, -1)
    'local(left=256, right=n)'
"""

from __future__ import annotations

from operator import index


def _whole(least: int = 1, **numbers: int) -> None:
    """Refuses what is no integer of at least `least`."""
    for name, number in numbers.items():
        if number is None:
            raise ValueError(
                f"{name} is None, which is no window: the program is `full` or `causal`"
            )
        if isinstance(number, bool) or not hasattr(number, "__index__") or index(number) < least:
            raise ValueError(f"{name} is {number!r}; expected an integer of at least {least}")


def _window(left: int | None, right: int | None) -> str:
    """A window whose sides may be unlimited, given as None."""
    sides = ["n" if side is None else str(side) for side in (left, right)]
    return f"local(left={sides[0]}, right={sides[1]})"


def _both_sides(window: int) -> str:
    """Half of the window on each side."""
    _whole(window=window)
    if window % 2:
        raise ValueError(f"window is {window}; expected an even number, both sides together")
    return f"local({window // 2})"


def from_longformer_paper(window: int) -> str:
    """Longformer (paper)."""
    return _both_sides(window)


def from_allenai_longformer(window: int) -> str:
    """Longformer (allenai), `attention_window`."""
    _whole(0, window=window)
    return f"local({window})"


def from_longformer(window: int) -> str:
    """Longformer, LED (Transformers), `attention_window`."""
    return _both_sides(window)


def from_allenai_no_overlap(window: int) -> str:
    """Longformer (allenai), `sliding_chunks_no_overlap`."""
    _whole(window=window)
    return f"segment({window}, back=1, ahead=1)"


def from_long_range_arena(window: int) -> str:
    """Long Range Arena, Longformer."""
    _whole(window=window)
    return f"local(left={window - window // 2 - 1}, right={window // 2})"


def from_sparse_transformer_paper(length: int) -> str:
    """Sparse Transformer (paper)."""
    _whole(0, length=length)
    return f"local(left={length})"


def from_sparse_transformer(length: int) -> str:
    """Sparse Transformer (code), `local_attn_ctx`."""
    _whole(length=length)
    return f"local(left={length - 1})"


def from_longt5(radius: int) -> str:
    """LongT5, ETC, `local_radius`."""
    _whole(0, radius=radius)
    return f"local({radius})"


def from_bigbird(block: int) -> str:
    """BigBird, w = 3 blocks."""
    _whole(block=block)
    return f"blocks({block}) {{ local(1) }}"


def from_reformer(chunk: int) -> str:
    """Reformer, Routing, Tensor2Tensor 1-D."""
    _whole(chunk=chunk)
    return f"segment({chunk}, back=1)"


def from_adaptive_span(span: int) -> str:
    """Adaptive Span, Memorizing (meliad)."""
    _whole(span=span)
    return f"local(left={span}, right=-1)"


def from_local_attention(window: int, look_backward: int) -> str:
    """local-attention (lucidrains), `exact_windowsize`."""
    _whole(window=window, look_backward=look_backward)
    return f"local(left={window * look_backward})"


def from_mistral(window: int) -> str:
    """Mistral and others (Transformers), `sliding_window`."""
    _whole(window=window)
    return f"local(left={window - 1})"


def from_gemma3_bidirectional(window: int) -> str:
    """Gemma 3 (Transformers), `use_bidirectional_attention`, `sliding_window` as given."""
    _whole(window=window)
    return f"local({window // 2})"


def from_embedding_gemma2(window: int) -> str:
    """EmbeddingGemma 2, UltraBERT, T5Gemma encoder (Transformers), `sliding_window`."""
    _whole(0, window=window)
    return f"local({window})"


def from_t5gemma_reference(window: int) -> str:
    """T5Gemma (reference, gemma 3.3), encoder."""
    _whole(window=window)
    return f"local({window - 1})"


def from_t5gemma2(window: int) -> str:
    """T5Gemma 2 (Transformers), encoder."""
    _whole(window=window)
    return f"local(left={(window + 1) // 2 - 1}, right={window // 2})"


def from_step3p7_bidirectional(window: int) -> str:
    """Step 3.7 (Transformers), `use_bidirectional_attention`."""
    _whole(window=window)
    return f"local({window - 1})"


def from_modernbert(window: int) -> str:
    """ModernBERT (Transformers), `local_attention`."""
    _whole(window=window)
    return f"local({window // 2})"


def from_modernbert_decoder(window: int) -> str:
    """ModernBERT decoder (Transformers), `local_attention`."""
    _whole(2, window=window)
    return f"local(left={window // 2 - 1})"


def from_llama4(chunk: int) -> str:
    """Llama 4 (Transformers), `attention_chunk_size`."""
    _whole(chunk=chunk)
    return f"causal & segment({chunk})"


def from_gemma3n_audio(left: int, right: int) -> str:
    """Gemma 3n audio (Transformers)."""
    _whole(left=left)
    _whole(0, right=right)
    return f"local(left={left - 1}, right={right})"


def from_gemma4_audio(left: int, right: int) -> str:
    """Gemma 4 audio (Transformers)."""
    _whole(right=right)
    _whole(2, left=left)
    return f"local(left={left - 2}, right={right - 1})"


def from_nemo_chunked(left: int, right: int) -> str:
    """Nemotron ASR, FastConformer (NeMo) `chunked_limited`."""
    _whole(0, left=left, right=right)
    return f"segment({right + 1}, back={left // (right + 1)})"


def from_nemo_regular(left: int, right: int) -> str:
    """NeMo 3.0 `regular`."""
    _whole(0, left=left, right=right)
    return f"local(left={left}, right={right})"


def from_dynamic_chunks(chunk: int, before: int) -> str:
    """Phi-4 audio, Seamless v2 (Transformers), SpeechBrain 1.1."""
    _whole(chunk=chunk)
    _whole(0, before=before)
    return f"segment({chunk}, back={before})"


def from_moshi(context: int) -> str:
    """Mimi (Transformers), moshi 0.2, `context`."""
    _whole(context=context)
    return f"local(left={context - 1})"


def from_audiocraft(context: int) -> str:
    """audiocraft 1.3, `past_context`."""
    _whole(0, context=context)
    return f"local(left={context})"


def from_mlx_lm(window: int) -> str:
    """mlx-lm 0.32, litgpt 0.5, keras-hub 0.32 (Mistral, Gemma)."""
    _whole(window=window)
    return f"local(left={window - 1})"


def from_keras_hub_gpt_oss(window: int) -> str:
    """keras-hub 0.32 (gpt-oss), `sliding_window`."""
    _whole(0, window=window)
    return f"local(left={window})"


def from_fairseq2(window: int) -> str:
    """fairseq2 0.8, `attn_window_len`, more than w queries."""
    _whole(window=window)
    return f"local(left={window - 1})"


def from_x_transformers(window: int) -> str:
    """x-transformers 2.31, `max_attend_past`, causal."""
    _whole(0, window=window)
    return f"local(left={window})"


def from_ring_attention(bucket: int, lookback: int) -> str:
    """ring-attention-pytorch 0.5, `max_lookback_seq_len`."""
    _whole(bucket=bucket)
    _whole(0, lookback=lookback)
    return f"causal & segment({bucket}, back={lookback // bucket})"


def from_titans(window: int) -> str:
    """titans-pytorch 0.5, sliding."""
    _whole(0, window=window)
    return f"local(left={window})"


def from_torchtitan(window: int) -> str:
    """torchtitan 0.3, `sliding_window`."""
    _whole(window=window)
    return f"local(left={window - 1})"


def from_attention_gym(window: int) -> str:
    """attention-gym `sliding_window`."""
    _whole(0, window=window)
    return f"local(left={window})"


def from_attention_gym_dilated(window: int, dilation: int) -> str:
    """attention-gym `dilated`."""
    _whole(window=window, dilation=dilation)
    return f"local({window // dilation}, dilation={dilation})"


def from_natten(n: int, kernel: int) -> str:
    """NATTEN, `kernel_size`."""
    _whole(n=n, kernel=kernel)
    if kernel % 2 == 0:
        raise ValueError(f"kernel is {kernel}; expected an odd number")
    return f"neighborhood([{n}], radius=[{kernel // 2}], edge=shift)"


def from_onnxruntime(window: int) -> str:
    """ONNX Runtime `GroupQueryAttention`, `local_window_size`."""
    _whole(window=window)
    return f"local(left={window - 1})"


def from_onnx(left: int, right: int) -> str:
    """ONNX `Attention` (opset 25), `left_window_size`, `right_window_size`; -1 is unlimited."""
    return from_flash_attention(left, right)


def from_jax(left: int, right: int | None = None) -> str:
    """JAX `dot_product_attention`, `local_window_size`: both sides, or one number for them."""
    right = left if right is None else right
    _whole(0, left=left, right=right)
    return _window(left, right)


def from_jax_splash(left: int | None, right: int | None) -> str:
    """JAX splash `LocalMask`, `window_size`; None is unlimited."""
    for side in (left, right):
        if side is not None:
            _whole(0, side=side)
    return _window(left, right)


def from_flash_attention(left: int, right: int) -> str:
    """FlashAttention 2, 3 and 4, torch `varlen_attn`, `window_size`; -1 is unlimited."""
    _whole(-1, left=left, right=right)
    return _window(*(None if side == -1 else side for side in (left, right)))
