columns(0) + rows(layer)
