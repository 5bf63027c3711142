blocks(4) { nearest(2) } + within(2:)
