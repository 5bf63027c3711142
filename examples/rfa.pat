# RFA-Gate: random Fourier features, and a learned gate by which earlier tokens are forgotten
# paper:   Peng et al. 2021, Random Feature Attention
# config:  64 directions a head, sigma * directions as `directions`; `forget` after its sigmoid
# length:  512
# equals:  the recurrence of section 3.1; without `gate=` the released masked_rfa (Noahs-ARK/RFA)

causal
features(128, map=rfa, matrix=directions, gate=forget)
