full on pool(4, mean) + same(return) on stream(lse, 4) + columns(pool_kv)
