"""What is to be read out of a text: schemas, the short language for them, and which of them can be held to."""
