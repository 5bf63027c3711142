local(256)
- local(2)
