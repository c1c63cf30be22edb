"""Read the TOML config into the model, with every problem at once."""
