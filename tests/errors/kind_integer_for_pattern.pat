4 & full
