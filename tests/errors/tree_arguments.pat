contextual(0) on tree(2) + contextual(4) on tree(1)
