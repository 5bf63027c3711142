"""What is wrong with a call: a length the pattern refuses, a run-time input that does not fit."""


class LengthError(ValueError):
    """The pattern has no meaning at this length, such as a grid whose product is not n.

    `expected` is the length it has a meaning at, where that is one.
    """

    def __init__(self, message: str, expected: int | None = None) -> None:
        super().__init__(message)
        self.expected = expected


class InputError(ValueError):
    """A run-time input is missing, or its shape or its type does not fit."""
