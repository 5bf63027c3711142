causal & where(q_idx - kv_idx < 4)
