full on persistent(2 ** 34) + blocks(parts=33) { local(1) } + full on memory(10 ** 12)
