# Windows of sequences that are padded on the left, by positions of their own
# paper:   Jiang et al. 2023, Mistral 7B
# config:  a window of 4096; `pos` counts from 0 at the first token of a sequence, -1 is padding
# length:  8192
# equals:  causal windows of each sequence alone; rows of padding see nothing

let own = where(pos[i] >= 0 and pos[j] >= 0)
where(0 <= pos[i] - pos[j] and pos[i] - pos[j] < 4096) & own
