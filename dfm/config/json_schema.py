"""The configuration as a JSON schema, made from the tables of fields: what editors check and complete by.

It accepts what `checking` accepts in one file. Draft 7, since that is what editors know best:
https://json-schema.org/draft-07/json-schema-validation
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from dfm.config.fields import Field, Kind, Section
from dfm.config.quantities import PORTS, SIZE, WALLTIME
from dfm.config.schema import Group, Member, Named, build_schema
from dfm.config.values import MOST

Json: TypeAlias = dict[str, Any]

_GROUPS = {
    "runner": "where tasks run, and on what",
    "runner.pool": "how many workers there are, and for how long",
    "runner.defaults": "what a task gets that names no resources",
    "runner.retry": "what happens after a worker was lost",
    "runner.daemon": "where the daemon listens, and to whom",
    "runner.resource_classes": "named sets of resources, which tasks name in their std.ResourceTag",
    "runner.limits": "counted tokens, such as licences, that all clients of a daemon share",
    "run": "defaults of `dfm run`",
}
_ABSENT: Json = {
    "type": "object",
    "description": "the section of a runner that is not installed here",
    "properties": {"optional": {"const": True, "description": "skip it on such a host"}},
    "required": ["optional"],
}


def config_schema(sections: Mapping[str, Section]) -> Json:
    """The schema of one configuration file on a host with these runners."""
    root = build_schema(sections).root
    whole = _group(root, "")
    runner = whole["properties"]["runner"]
    bare = {**runner, "properties": {**runner["properties"], "run": whole["properties"]["run"]}}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "dfm configuration",
        "description": "a mapping without the key `runner` is taken as if it stood below it",
        "if": {"type": "object", "required": ["runner"]},
        "then": whole,
        "else": bare,
    }


def _group(group: Group, path: str) -> Json:
    described = _GROUPS.get(path, f"the runner `{path.rpartition('.')[2]}`")
    return {
        "type": ["object", "null"],
        **({"description": described} if path else {}),
        "properties": {
            name: _member(member, f"{path}.{name}" if path else name)
            for name, member in group.members.items()
        },
        "additionalProperties": _ABSENT if path == "runner" else False,
    }


def _member(member: Member, path: str) -> Json:
    match member:
        case Field():
            return _described(member)
        case Group():
            return _group(member, path)
        case Named():
            is_class = isinstance(member.entry, Group)
            entry = {
                **_member(member.entry, f"{path}.*"),
                "description": "one class" if is_class else "how many there are",
            }
            return {
                "type": ["object", "null"],
                "description": _GROUPS[path],
                "propertyNames": {"minLength": 1},
                "additionalProperties": entry,
            }


def _described(field: Field) -> Json:
    return {"description": f"{field.help} ({field.kind.words})", **_value(field)}


def _value(field: Field) -> Json:
    match field.kind:
        case Kind.TEXT:
            return {"type": "string", "minLength": field.minimum}
        case Kind.INTEGER:
            return {"type": "integer", "minimum": field.minimum, "maximum": MOST}
        case Kind.BOOLEAN:
            return {"type": "boolean"}
        case Kind.TEXTS:
            texts = {"type": "array", "items": {"type": "string", "minLength": 1}}
            return {"anyOf": [texts, {"type": ["string", "null"]}]}
        case Kind.MEMORY | Kind.SIZE:
            return {"anyOf": [_pattern(SIZE), {"type": "number", "minimum": 0}]}
        case Kind.WALLTIME:
            pattern = WALLTIME if field.minimum else f"(?:{WALLTIME})?"
            return {"anyOf": [_pattern(pattern), {"type": "integer", "minimum": field.minimum}]}
        case Kind.PORTS:
            number = {"type": "integer", "minimum": 0, "maximum": 65535}
            return {"anyOf": [_pattern(PORTS), number]}


def _pattern(pattern: str) -> Json:
    return {"type": "string", "pattern": rf"^\s*(?:{pattern})\s*$"}
