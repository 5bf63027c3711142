local(4) + full on stream(g, 4)
rows g
full
rows g
full on stream(g, 4)
