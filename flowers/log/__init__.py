"""The prediction log: records, day files, alert state, and the table that drift detection reads."""
