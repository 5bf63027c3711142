# length: 128
blocks(64) { global([0, -1, 2]) } + columns([128, -129, 4:900])
