# length: 64
layers 2
heads 2
let before = local(left=8, right=-1)
layer == 1 and head == 1 -> before
layer == 1               -> columns([0:4])
else                     -> full
