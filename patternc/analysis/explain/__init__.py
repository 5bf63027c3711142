"""Why a query attends to a key, directly or through layers."""
