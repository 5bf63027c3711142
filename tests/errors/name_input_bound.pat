let document = 4
same(document) + listed(document)
