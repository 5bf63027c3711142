where(i // -4 == j % 0)
