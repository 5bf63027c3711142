query_pool(2, mean)
full on store(4) + nearest(4) on memory(4) + contextual(2) on tree(2) + features(8, map)
rows g
full
