let blocks_ = n // 64
heads (n)
strided(blocks_) + blocks(n) { full }
