local(64) & (full with alibi)
