locl(4) + windw(4) + sliding_window(4) + quux
