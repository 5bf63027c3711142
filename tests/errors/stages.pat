stage words
local(4)

stage top
query_pool(2, mean)
full
