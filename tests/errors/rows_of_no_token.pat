local(4) + full on stream(g, 4)
rows g
(full + where(j < n // 2) on stream(g, 4) + contextual(4) on tree(2)) with xl_relative
