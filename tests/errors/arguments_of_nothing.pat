let w = 4
causal() & local(w(3))
