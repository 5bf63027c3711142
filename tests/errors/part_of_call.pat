causal & within(0:4) { listed(plan) + where(tin[i] < 3) } + within(2:) { random(2) }
