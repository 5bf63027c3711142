local() + strided() + random(pool=1:4) + local
