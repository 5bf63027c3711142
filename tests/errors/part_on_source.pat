within(:9) { local(1) } on memory(4) + local(2)
