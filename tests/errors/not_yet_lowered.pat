query_pool(2, mean)
full on store(4) + nearest(4) on memory(4) + features(8, map=elu)
