where(tin <= tin[i])
