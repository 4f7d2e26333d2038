"""What the site's pages show, as values for templates."""
