where(tin[i] * tin[j] < 3 and tin[i] // pos[j] == 1)
