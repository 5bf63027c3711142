local(4) with decay(c) + (full on memory(8)) with decay(c)
