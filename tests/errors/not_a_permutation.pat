permuted([1, 2, 3]) + permuted([0, 0]) + permuted([2:])
