"""The backend for torch's FlexAttention."""
