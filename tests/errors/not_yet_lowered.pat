query_pool(2, mean)
full on store(4)
