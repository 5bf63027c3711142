offsets([n, 2]) + offsets(powers(1)) + offsets(3) + columns(powers(2))
