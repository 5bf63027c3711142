query_pool(2, mean)
full on store(4) + cluster(4, 8) + features(8, map=elu)
