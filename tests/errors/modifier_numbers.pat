heads 2
full with softcap(-0.5) with rotary(0) with scale(head) + full with t5(2, 128) + (full & causal) with t5(32, 16)
