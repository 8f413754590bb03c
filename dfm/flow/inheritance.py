"""A package that `uses` another has what that one declares, under its own name (section 23).

What is inherited is read once more, as texts of the inheriting package: names in it mean that one's.
"""

from dfm.flow.declarations import Package
from dfm.flow.fields import Reader
from dfm.flow.overriding import override_tasks
from dfm.flow.packages import Packages
from dfm.flow.parse_package import parse_package
from dfm.flow.problems import did_you_mean


def inherit(reader: Reader, package: Package, packages: Packages) -> None:
    """Puts what a package declares over what its bases do. The bases must be loaded, or known."""
    chain = _chain(reader, package, packages)
    layers = [
        parse_package(reader, base.where.document, inherited_by=package.name)
        for base in reversed(chain)
    ]
    if not layers:
        if package.replacing:
            override_tasks(reader, package.replacing, {}, package)
        return
    made = layers[0]
    for layer in [*layers[1:], package]:
        _lay(reader, made, layer)
    package.tasks, package.configurations = made.tasks, made.configurations
    package.overrides = made.overrides
    package.inherited = [layer.params for layer in layers]
    package.bases = [base.name for base in chain]
    for base in chain:
        for alias, name in base.aliases.items():
            package.aliases.setdefault(alias, name)


def _chain(reader: Reader, package: Package, packages: Packages) -> list[Package]:
    """The bases, the nearest first."""
    chain = [package]
    while chain[-1].uses:
        link = chain[-1]
        where = link.where.at("uses")
        name = link.aliases.get(link.uses, link.uses)
        base = packages.named(name, where)
        if base is None:
            hint = did_you_mean(name, packages.by_name)
            reader.problems.add(where, f"no package `{name}` to inherit from", hint=hint)
            break
        if base in chain:
            names = " -> ".join([one.name for one in chain[chain.index(base) :]] + [base.name])
            reader.problems.add(where, f"package `{base.name}` inherits from itself: {names}")
            return []
        chain.append(base)
    return chain[1:]


def _lay(reader: Reader, below: Package, above: Package) -> None:
    """Enters what one declares into what was there before."""
    for name, task in above.tasks.items():
        if name in below.tasks:
            reader.problems.warn(
                task.where.at(task.named_by),
                f"task `{name}` hides the inherited one; nothing of that stays",
                hint=f"override: {task.short}  changes it and keeps the rest",
            )
        below.tasks[name] = task
    override_tasks(reader, above.replacing, below.tasks, above)
    for name, configuration in above.configurations.items():
        configuration.below = below.configurations.get(name)
        below.configurations[name] = configuration
    below.overrides += above.overrides
