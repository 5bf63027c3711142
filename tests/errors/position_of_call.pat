local(4) with alibi()
