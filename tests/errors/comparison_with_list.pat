layers 8
layer == [2, 5] -> full
else -> where(i and j)
