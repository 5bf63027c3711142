causal
heads 2
let scaled = local(4) with scale(0.125)
head == 0 -> scaled + full with rotary(1e4) with scale(1)
else      -> gate(scaled, full)
