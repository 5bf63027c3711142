"""Passes to Triton kernels."""
