full & (i == j)
