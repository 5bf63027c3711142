causal
heads 2
head == 0 -> mix(full, full on project(8))
else      -> gate(local(4) + full on stream(g, 8), full on pool(4, mean) + full on pool(8, max, tail=merge))
