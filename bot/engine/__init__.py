"""Inference: one noun a file. Nothing outside this package touches llama.cpp."""
