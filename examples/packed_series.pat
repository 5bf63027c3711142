# Packed time series (Moirai 2): variates of a sample side by side, causal in time
# paper:   Liu et al. 2025, Moirai 2.0: When Less Is More for Time Series Forecasting
# config:  `sample` numbers the series of a row, `time` the patches of each variate, from 0 on
# length:  512
# equals:  uni2ts' packed_causal_attention_mask; what has no sample is padding there too
# checked: uni2ts 2.0.0 (uni2ts_packed_causal)

same(sample) & where(time[j] <= time[i])
