full with temperature(2) + ordered(x)
