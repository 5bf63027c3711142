# length: 64
layers 2
heads 2
let after = local(left=-2, right=4)
layer == 1 and head == 1 -> after
layer == 1               -> columns([4:8])
else                     -> full
