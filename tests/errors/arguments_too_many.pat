segment(64, 1) + strided(4, 5, 6)
