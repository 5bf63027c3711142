random(4, seed=None)
