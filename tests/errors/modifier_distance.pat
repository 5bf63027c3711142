(local(4) + full on persistent(8)) with relative(4) + full with alibi on project(8)
