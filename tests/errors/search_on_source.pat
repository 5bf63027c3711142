lsh(2, chunk=3) on encoder
