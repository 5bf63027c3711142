let near = within(:9) { local(1) }
near on memory(4) + within(4) { full } + within(i:9) { full } + within(:3)
