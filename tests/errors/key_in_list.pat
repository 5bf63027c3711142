where(i == 1 or j in [1, 2])
