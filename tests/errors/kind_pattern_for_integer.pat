strided(local(4)) + local(1.5)
