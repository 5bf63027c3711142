locl(4) + strided(0)
