where(i in [1, 2])
