"""Parts of the program that are composed by themselves, from the settings: `bootstrap` puts them together."""
