# teach: 4096
heads 2
let w = 100 + head
causal
head == 0 -> local(left=w) + columns([0])
else      -> local(40)
