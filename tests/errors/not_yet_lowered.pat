query_pool(2, mean)
full + features(8, map)
