heads 4
head == 0 -> mix(lsh(8, chunk=4) with alibi)
head == 1 -> mean(cluster(4, 8, means=m) + local(2))
head == 2 -> lsh(7, chunk=4)
else      -> mix(lsh(8, chunk=4) & local(30), local(2))
