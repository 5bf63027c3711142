columns[0]
