local(4) − local(2)
