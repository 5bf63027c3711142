where(tin[i] < 3) & same(tin) + visible(begin, end) on pool(4, mean)
