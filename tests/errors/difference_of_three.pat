difference(local(4), strided(4), full, name=w)
