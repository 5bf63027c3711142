layers 2
heads 4
layer == 1 -> strided(8 // head)
else -> strided(3 % 0)
