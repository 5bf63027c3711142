local(4, left=8) + segment(8, dilation=2, back=1) + blocks(4, parts=2) { full }
