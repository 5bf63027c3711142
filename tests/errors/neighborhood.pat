neighborhood([8, 8], radius=[4, 1], edge=shift)
