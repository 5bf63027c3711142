"""Score modifiers that are one expression each, a file for every one.

A file holds the signature of the word, its checks, the expression and its table; derivatives, and
the text of every backend, follow.
"""

from __future__ import annotations

from patternc.modifiers.alibi import ALIBI
from patternc.modifiers.bias import BIAS
from patternc.modifiers.decay import DECAY
from patternc.modifiers.distance_aware import DISTANCE_AWARE
from patternc.modifiers.dynamic_span import DYNAMIC_SPAN
from patternc.modifiers.relative import RELATIVE
from patternc.modifiers.relative_values import RELATIVE_VALUES
from patternc.modifiers.softcap import SOFTCAP
from patternc.modifiers.softspan import SOFTSPAN
from patternc.modifiers.t5 import T5
from patternc.modifiers.xl_relative import XL_RELATIVE

# In the order in which they apply; what is added to values is no score, so its place is free.
MODIFIERS = (
    RELATIVE,
    XL_RELATIVE,
    DISTANCE_AWARE,
    SOFTCAP,
    ALIBI,
    T5,
    BIAS,
    DECAY,
    SOFTSPAN,
    DYNAMIC_SPAN,
    RELATIVE_VALUES,
)
