"""What single commands and `serve` are made of, beside the program that `bootstrap` composes."""
