neighborhood([8, 8], radius=[1, 1], edge=shfit) + random(2, share=all)
