"""Complexity: exact counts of pairs at any length, closed forms in n, and what follows from them.

Maps relations to numbers. Modules, in the order data flows: `pair_sets` (formulas as sets and
runs), `quasi_polynomial`, `unions` and `diagonals` (counts for every n), `random_draws` and
`constant_tables` (tables as counts), `format_closed_form` and `closed_forms` (text), `pair_counts`
(one head), `visited_tiles`, `kv_cache` and `last_reader` (what a decoder keeps), `layer_cost` (what
it costs). Does not handle receptive fields or devices.
"""
