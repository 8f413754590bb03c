"""What imports say of a package beside its name: a configuration, and values (section 7)."""

from dataclasses import dataclass, field

from dfm.flow.declarations import Import, Package, Parameter
from dfm.flow.document import Where
from dfm.flow.problems import Problems


@dataclass(slots=True)
class Wanted:
    """What all imports of one package say, together."""

    configuration: str = ""
    where: Where | None = None  # where the first one says so
    params: dict[str, Parameter] = field(default_factory=dict)

    def take(self, package: Package, one: Import, problems: Problems) -> None:
        """One more import; it must not contradict the others."""
        if one.configuration:
            self._configure(package, one, problems)
        for name, writing in one.params.items():
            other = self.params.setdefault(name, writing)
            if other is not writing and other.parts() != writing.parts():
                what = f"two imports give `{name}` of package {package.name} different values"
                problems.add(writing.where.key(), what, hint=f"first at {other.where.place()}")

    def _configure(self, package: Package, one: Import, problems: Problems) -> None:
        where = one.where.at("config")
        if self.where is None:
            self.configuration, self.where = one.configuration, where
        elif self.configuration != one.configuration:
            what = f"package {package.name} is imported with configuration `{one.configuration}`"
            what += f" here, and with `{self.configuration}` elsewhere"
            problems.add(where, what, hint=f"first at {self.where.place()}")
