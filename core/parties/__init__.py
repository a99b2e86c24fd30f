"""With whom money moves: merchants and suppliers."""
