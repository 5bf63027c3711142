columns(marks) + blocks(64) { columns(marks) } + same(marks)
