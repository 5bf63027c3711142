local(4) + full on stream(title, 4) + contextual(2) on tree(2)
rows titel
full
rows summary
full
rows tree
full
