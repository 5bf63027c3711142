where(ceil_log2(i - j + 1) == 2)
