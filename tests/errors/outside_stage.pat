query_pool(2, mean)
full
