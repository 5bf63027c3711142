local(4) + unfold(256, margin=64)
