local(4))
