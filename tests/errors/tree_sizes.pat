layers 2
layer == 0 -> diagonal + contextual(4) on tree(2) + full on stream(g, 4)
else       -> diagonal + contextual(4) on tree(3) + full on stream(g, 8)
