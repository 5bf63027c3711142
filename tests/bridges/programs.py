"""Random programs whose masks cover the kinds that formats hold, and some that they do not."""

from __future__ import annotations

from random import Random

ROUND, SWEEP = 24, 200


def program(seed: int, heads: bool = False) -> str:
    """A union of few terms, causal or not; with `heads` two heads that may differ."""
    random = Random(seed)
    header = "causal\n" * random.randrange(2) + ("heads 2\n" if heads else "")
    terms = [_term(random, heads) for _ in range(random.choice((1, 1, 2, 3)))]
    return header + random.choice((" + ", " + ", " & ")).join(terms)


def _term(random: Random, heads: bool) -> str:
    a, b, w = random.randrange(9), random.randrange(9), random.randrange(2, 12)
    more = f" + {random.randrange(3)} * head" if heads else ""
    return random.choice(
        [
            f"local(left={a}{more}, right={b})",
            f"local({a}{more})",
            f"columns([{a}:{a + b + 1}])",
            f"rows([{a}, -{b + 1}])",
            f"global([{a}, -1])",
            f"segment({w}, back={a % 3})",
            f"where(i < {3 * w} and j >= {w} and j <= i + {b})",
            f"where(j <= i - {b})",
            f"strided({w})",
            f"blocks({w}) {{ local({a % 3}) }}",
            f"~local({b})",
        ]
    )
