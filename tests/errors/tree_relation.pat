heads 2
head == 0 -> contextual(4) on memory(8) + (local(4) + blocks(2) { full }) on tree(2) + full on tree(2) with alibi
else      -> diagonal + contextual(4)
