blocks(4) { mix(full, none) }
