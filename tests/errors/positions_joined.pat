where(i and j)
