"""The version of dfm: here alone, since a worker cannot afford to ask the package's metadata."""

VERSION = "0.1.0"
