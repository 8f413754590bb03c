"""A flow file as a JSON schema (draft 7), made from the tables of fields: what editors check and complete by.

It knows the shape of a file, not its meaning: whether a task exists that somebody needs is for `dfm`
to say. What dfm only warns of is accepted.
"""

import itertools
from typing import Any, TypeAlias

from dfm.flow import language, plugins
from dfm.flow.declarations import KINDS
from dfm.flow.language import Field, Shape, Table

Json: TypeAlias = dict[str, Any]

_ANYTHING: Json = {}
_TEXT: Json = {"type": "string"}
_MAP: Json = {"type": ["object", "null"]}


def flow_schema() -> Json:
    """The schema of `flow.yaml`."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "flow file of dfm, or a package map",
        "type": "object",
        "anyOf": [{"required": [key]} for key in ("package", "fragment", "package-map")],
        "properties": {
            "package": {"$ref": "#/definitions/package"},
            "fragment": {"$ref": "#/definitions/fragment"},
            "package-map": {"$ref": "#/definitions/package_map"},
        },
        "definitions": _definitions(),
    }


def _definitions() -> Json:
    return {
        "package": {
            "description": "a package: variables, tasks and types under one name",
            **_object(language.PACKAGE, required=("name",), closed=True),
            # Inherited variables may have a new value only.
            "if": {"not": {"required": ["uses"]}},
            "then": {"properties": {"with": _ref("variables")}},
            "else": {"properties": {"with": _ref("parameters")}},
        },
        "fragment": {
            "description": "more of a package that lists this file",
            **_object(language.FRAGMENT, closed=True),
            "type": ["object", "null"],
        },
        "inline_task": _object(language.TASK, closed=True),
        "replacement": _object(language.REPLACEMENT, required=("with",)),
        "task": {
            **_object({**language.NAMES, **language.TASK}, closed=True),
            "oneOf": [{"required": [name]} for name in language.NAMES],
            "not": {"required": ["control", "strategy"]},
        },
        "filter": {
            **_object({**language.SCOPED_NAMES, **language.FILTER}, closed=True),
            "allOf": [
                {"oneOf": [{"required": [name]} for name in language.SCOPED_NAMES]},
                {"oneOf": [{"required": ["expr"]}, {"required": ["run"]}]},
            ],
        },
        "package_map": {
            "description": "where packages are, by their names",
            **_object(language.PACKAGE_MAP),
        },
        "mapped_package": _object(language.MAPPED, required=("name", "path")),
        "case": {
            **_object(language.CASE, closed=True),
            "oneOf": [
                {"required": ["when"]},
                {"required": ["default"], "properties": {"default": {"const": True}}},
            ],
        },
        "type": _object(language.TYPE, required=("name",)),
        "configuration": _object(language.CONFIGURATION, required=("name",)),
        "import": {"anyOf": [{"type": "string", "pattern": r"\S"}, _import()]},
        "extension": _object(language.EXTENSION, required=("task",)),
        "example": _object(language.EXAMPLE, required=("code",), closed=True),
        # A map with none of these keys is a value.
        "parameter": {"properties": _properties(language.PARAMETER)},
        "variable": _object(language.PARAMETER, required=("type",)),
        "tag": {
            "anyOf": [_TEXT, {"type": "object", "minProperties": 1, "maxProperties": 1,
                              "additionalProperties": _MAP}],
        },
        "pattern": {"type": ["string", "object", "null"]},
        **_values(),
    }  # fmt: skip


def _import() -> Json:
    needs_one = [{"required": ["name"]}, {"required": ["from"]}]
    return {**_object(language.IMPORT), "anyOf": needs_one}


def _values() -> Json:
    """The shapes that fields name."""
    return {
        "any": _ANYTHING,
        "text": _TEXT,
        "text_or_nothing": {"type": ["string", "null"]},
        "name": {"type": "string", "pattern": r"\S"},
        "flag": {"type": "boolean"},
        "integer": {"type": "integer"},
        "one": {"const": 1},
        "list": {"type": "array"},
        "mapped": _list(_ref("mapped_package")),
        "cases": _list(_ref("case")),
        "default": {"anyOf": [{"enum": ["all", "none"]}, {"type": "object"}]},
        "state": {**_object(language.STATE), "type": ["object", "null"]},
        "map": _MAP,
        "text_or_task": {"anyOf": [_TEXT, _ref("inline_task")]},
        "overrides": {**_MAP, "additionalProperties": _ref("text_or_task")},
        "replacements": _list(_ref("replacement")),
        "texts": _list(_TEXT),
        "text_or_texts": {"anyOf": [_TEXT, _list(_TEXT)]},
        "imports": _list(_ref("import")),
        "references": _list({"type": "string", "pattern": r"\S"}),
        "parameters": {**_MAP, "additionalProperties": _ref("parameter")},
        "variables": {**_MAP, "additionalProperties": _ref("variable")},
        "tasks": _list(_ref("task")),
        "types": _list(_ref("type")),
        "filters": _list(_ref("filter")),
        "configurations": _list(_ref("configuration")),
        "extensions": _list(_ref("extension")),
        "tags": _list(_ref("tag")),
        "examples": _list(_ref("example")),
        "patterns": _list(_ref("pattern")),
        "shell": {"enum": [*language.SHELLS, *plugins.find().shells, ""]},
        "scope": {"anyOf": [_TEXT, _list(_TEXT)]},
        "consumed": _selection("all", "none"),
        "passed": _selection("all", "none", "unused"),
        "uptodate": {"type": ["boolean", "string"]},
        "assignments": _list({"type": "object"}),
        "rebindings": _list({
            "anyOf": [
                _object(language.REBINDING, required=("set",), closed=True),
                {"type": "object",
                 "not": {"anyOf": [{"required": [key]} for key in language.REBINDING]}},
            ]
        }),
        "control": {
            **_object(language.CONTROL, required=("type",)),
            "allOf": [_needed(kind, fields) for kind, fields in language.CONTROL_NEEDS.items()],
        },
        "summary": {
            "anyOf": [
                _TEXT,
                {"type": "object", "required": ["builtin"], "additionalProperties": False,
                 "properties": _properties(language.SUMMARY)},
            ]
        },
        "select": _object(language.SELECT, required=("axes",), closed=True),
        "generate": _object(language.GENERATE, required=("run",), closed=True),
        "strategy": {
            **_object(language.STRATEGY),
            "type": ["object", "null"],
            "not": {"anyOf": [{"required": list(two)} for two in
                              itertools.combinations(language.STRATEGIES, 2)]},
        },
        "cache": {
            **_object(language.CACHE, closed=True),
            "type": ["object", "null", "boolean"],
        },
        "cli": {**_object(language.CLI), "type": ["object", "null", "boolean"]},
        "compression": {"anyOf": [{"type": "boolean"}, {"enum": [*language.COMPRESSIONS, ""]}]},
        "kind": {
            "anyOf": [
                {"enum": list(KINDS)},
                {
                    "type": "object", "minProperties": 1, "maxProperties": 1,
                    "properties": {
                        "list": {"description": "{item: TYPE}: of what the elements are"},
                        "map": {"description": "{key: TYPE, val: TYPE}: of what its parts are"},
                    },
                    "additionalProperties": False,
                },
            ]
        },
        "accepted": {
            "anyOf": [
                {"type": "array"},
                _object(language.ACCEPTED, required=("of",)),
            ]
        },
    }  # fmt: skip


def _object(table: Table, *, required: tuple[str, ...] = (), closed: bool = False) -> Json:
    """`closed`: a field that is not in the table is a fault, not only a warning."""
    return {
        "type": "object",
        "properties": _properties(table),
        **({"required": list(required)} if required else {}),
        **({"additionalProperties": False} if closed else {}),
    }


def _needed(kind: str, fields: tuple[str, ...]) -> Json:
    """What a control of this kind cannot be without."""
    return {
        "if": {"properties": {"type": {"const": kind}}, "required": ["type"]},
        "then": {"required": list(fields)},
    }


def _properties(table: Table) -> Json:
    return {key: _field(field) for key, field in table.items()}


def _field(field: Field) -> Json:
    """A reference stands alone in draft 7: what is beside it is not looked at."""
    return {"description": field.help, "allOf": [_shape(field.shape)]}


def _shape(shape: Shape) -> Json:
    return _ref(shape) if isinstance(shape, str) else {"enum": [*shape, ""]}


def _ref(name: str) -> Json:
    return {"$ref": f"#/definitions/{name}"}


def _list(element: Json) -> Json:
    return {"type": ["array", "null"], "items": element}


def _selection(*words: str) -> Json:
    patterns = {"type": ["array", "null"], "items": _ref("pattern")}
    return {"anyOf": [{"enum": [*words, ""]}, patterns]}
