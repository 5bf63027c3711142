query_pool(2, mean)
full on memory(4) + (local(4) with alibi) + global([0], projection=g)
rows g
full
