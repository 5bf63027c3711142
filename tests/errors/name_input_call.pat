same(v) + columns(seed) + same(class)
