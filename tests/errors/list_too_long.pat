permuted([0:100000])
