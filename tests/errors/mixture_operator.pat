mix(segment(64), strided(8)) & causal
