columns(0:4) + local(1:2)
