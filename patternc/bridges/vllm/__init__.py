"""A pattern as the mask of a model that vLLM serves."""

from patternc.bridges.vllm.apply import apply

__all__ = ["apply"]
