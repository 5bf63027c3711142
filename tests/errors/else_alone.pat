else -> full
