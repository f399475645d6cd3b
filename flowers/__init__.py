"""What things are: arrays in, arrays out; no paths of the pipeline, no parameters file."""
