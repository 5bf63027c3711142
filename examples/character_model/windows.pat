# Windows and sinks by layer, for characters: three layers see 64 characters back, the fourth 256,
# and all see the first four characters, which take what weight a head has to spare
causal
layers 4
let short = local(left=63) + columns([0:4])
let long = local(left=255) + columns([0:4])
layer % 4 == 3 -> long with rotary(10000)
else           -> short with rotary(10000)
