"""Complexity: exact counts of pairs at any length, closed forms in n, and what follows from them.

From relations to numbers. Rooms inside, in the order data flows: `planes` (formulas as sets and
runs), `eventual` (where runs begin to repeat), `tally` and `unions` (counts for every n), `draws`
and `scattered` (tables as counts), `describe` and `forms` (text), `counts` (one head), `tiles`,
`kept`, `layers` (what it costs). Non-goals: receptive fields, devices.
"""
