"""What every other package builds on: errors, files, parallel work, deterministic numerics."""
