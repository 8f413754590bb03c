"""YAML 1.1's `<<: *defaults`, on the nodes of the YAML library: which pairs a mapping has in the end.

https://yaml.org/type/merge.html
"""

import yaml

_MERGE = "tag:yaml.org,2002:merge"

Pairs = list[tuple[yaml.Node, yaml.Node]]


def split_pairs(node: yaml.MappingNode) -> tuple[Pairs, Pairs]:
    """A mapping's own pairs, and what `<<` merges into it: the first source that has a key wins.

    A `<<` that names no mapping stays an own pair: nobody knows such a key.
    """
    own: Pairs = []
    sources: list[yaml.MappingNode] = []
    for key, value in node.value:
        named = _sources(key, value)
        if named is None:
            own.append((key, value))
        else:
            sources += named
    if not sources:
        return own, []
    taken = {key.value for key, _ in own if isinstance(key, yaml.ScalarNode)}
    merged: Pairs = []
    seen: set[int] = set()
    while sources:  # depth first, each mapping once: a mapping merged into itself comes to an end
        source = sources.pop(0)
        if id(source) in seen:
            continue
        seen.add(id(source))
        nested: list[yaml.MappingNode] = []
        for key, value in source.value:
            named = _sources(key, value)
            if named is not None:
                nested += named
            elif not isinstance(key, yaml.ScalarNode):
                merged.append((key, value))
            elif key.value not in taken:
                taken.add(key.value)
                merged.append((key, value))
        sources = nested + sources
    return own, merged


def _sources(key: yaml.Node, value: yaml.Node) -> list[yaml.MappingNode] | None:
    if key.tag != _MERGE:
        return None
    listed = value.value if isinstance(value, yaml.SequenceNode) else [value]
    mappings = [source for source in listed if isinstance(source, yaml.MappingNode)]
    return mappings if len(mappings) == len(listed) else None
