random(2, seed=none)
