~mix(full, full)
