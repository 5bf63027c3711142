gate(full, name=g)
