where(i * j < 4 or (i + 1) * n > 3)
