within(4:2) { full } + columns([:0]) + diagonal
