"""Package map files: where packages are, by their names (section 7)."""

import os
from collections.abc import Callable

from dfm.flow.document import Where
from dfm.flow.fields import Reader
from dfm.flow.language import MAPPED, PACKAGE_MAP
from dfm.flow.reading import read

Expand = Callable[[str, Where], str | None]  # replaces the expressions of a text


def read_map(reader: Reader, file: str, expand: Expand) -> dict[str, str]:
    """The paths in a map by the names of packages. Raises FlowError if it cannot be read at all."""
    document = read(file)
    root = Where(document, ())
    where = root.at("package-map")
    data = reader.mapping(root, document.data)
    if "package-map" not in data:
        reader.problems.add(root, "no package map: there is no `package-map:` in it")
        return {}
    fields = reader.mapping(where, data["package-map"])
    reader.ignore_unknown(where, fields, PACKAGE_MAP, "a package map")
    if fields.get("version", 1) != 1:
        what = f"version {fields['version']} of package maps is not known, only 1"
        reader.problems.add(where.at("version"), what)
    found: dict[str, str] = {}
    for place, entry in reader.list_of_maps(where.at("packages"), fields.get("packages")):
        reader.ignore_unknown(place, entry, MAPPED, "a package of a map")
        name = reader.name(place.at("name"), entry.get("name"))
        path = reader.name(place.at("path"), entry.get("path"))
        expanded = expand(path, place.at("path"))
        if name and expanded:
            found.setdefault(name, os.path.join(document.directory, expanded))
    return found
