mean(full, diagonal with softcap(2)) with alibi
