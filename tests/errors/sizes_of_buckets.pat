full with t5(8, 64) + local(1) with t5(16, 64)
