# length: 256
heads 2
let near = local(left=head + 2)
(blocks(16) { global([1]) } + near
    + random(2, pool=100:))
