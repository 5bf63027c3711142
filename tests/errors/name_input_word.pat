same(segment) + columns(full)
