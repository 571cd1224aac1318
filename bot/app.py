"""Start, supervise, drain, close."""
