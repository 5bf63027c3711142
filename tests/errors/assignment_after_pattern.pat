local(1) += strided(4)
