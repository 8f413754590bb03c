"""From the name of a flow file to a document: which reader takes it."""

from dfm.errors import FlowError, Place
from dfm.flow.document import Document


def read(file: str) -> Document:
    """Reads a flow file, YAML or TOML by its name. Raises FlowError."""
    try:
        with open(file, encoding="utf-8") as stream:
            text = stream.read()
    except OSError as error:
        raise FlowError(f"cannot be read: {error.strerror}", place=Place(file)) from None
    except UnicodeDecodeError as error:
        raise FlowError(f"is not UTF-8: {error}", place=Place(file)) from None
    if file.endswith(".toml"):
        from dfm.flow import toml_reader

        return Document(file, text, toml_reader.read(text, file), toml_reader.find)
    from dfm.flow import yaml_reader

    return Document(file, text, yaml_reader.read(text, file), yaml_reader.find)
