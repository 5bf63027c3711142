# nothing yet
heads 12
