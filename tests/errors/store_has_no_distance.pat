(full on store(2)) with alibi
