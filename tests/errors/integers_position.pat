where(tin[k] < 3 and pos[i + 1] > 2)
