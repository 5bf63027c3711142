blocks(64) + segment(64) { full }
