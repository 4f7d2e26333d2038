"""Reading what sources answer: JSON, feeds, HTML and files, all of it taken for hostile."""
