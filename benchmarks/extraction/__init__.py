"""JSON out of texts, beside the peers that can be held to a schema too."""
