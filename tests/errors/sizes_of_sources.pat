(full on memory(0)
 + full on pool(0, mean) + full on pool(4, mean, stride=0)
 + full on compressed(4, rate=0) + full on project(-2)
 + full on persistent(0) + full on stream(g, 0))
