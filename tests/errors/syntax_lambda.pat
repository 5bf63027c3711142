lambda i, j: i >= j
