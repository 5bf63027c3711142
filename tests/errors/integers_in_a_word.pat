visible(begin[i], 4) + lsh(8, chunk=4, rotations=turns, seed=1) + offsets(4)
