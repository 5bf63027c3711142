heads 12
mix(local(4),
    strided(8)
