"""Renders what the roles of a node declare, with Ansible's own templates and variables, on the controller."""

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

PLAYBOOKS = Path(__file__).parents[5]
CONDITIONS = ("requires", "checks", "drained")
_STATE = ("accounts", "directories", "files", "links", "units")


class Renderer:
    """The `desired.yml`, `defaults` and `templates` of the roles below `playbooks`, seen with one node's variables.

    An entry of `desired.yml` may carry `each` (a list; the entry is repeated with `item`), `when` (a
    condition) and `vars`; a file takes its text from `template` (the role's, or one for all roles), from
    `source` (as it is, below `files`) or from `content`.
    """

    def __init__(self, templar: Templar, variables: Mapping, playbooks: Path = PLAYBOOKS) -> None:
        self._playbooks = playbooks
        # One environment for all roles: Jinja keeps what it has compiled, and compiling is what rendering costs.
        self._templar = templar.copy_with_new_env(searchpath=[str(playbooks)])
        self._variables = dict(variables)

    def state(self, roles: Iterable[str]) -> list[dict]:
        """Everything that `roles` want, as plain mappings for `parse_state`."""
        return [self._role_state(role) for role in roles]

    def conditions(self, roles: Iterable[str], facet: str) -> list[dict]:
        """What `roles` require beforehand (`requires`), promise afterwards (`checks`), or reach when `drained`."""
        found = []
        for name in roles:
            role = self._role(name)
            found += [{"role": name, **entry} for entry in role.entries(facet)]
        return found

    def _role_state(self, name: str) -> dict:
        role = self._role(name)
        return {"role": name, **{what: list(role.entries(what)) for what in _STATE}}

    def _role(self, name: str) -> "_Role":
        folder = self._playbooks / "roles" / name
        if not (folder / "desired.yml").exists():
            raise AnsibleError(f"{folder / 'desired.yml'} is missing, but a node has the role {name}")
        role = _Role(folder, self._templar, self._variables)
        role.validate()
        return role


class _Role:
    """One role's folder with the variables that its templates see."""

    def __init__(self, folder: Path, templar: Templar, variables: dict) -> None:
        self._folder = folder
        self._desired = _read(folder / "desired.yml")
        self._variables = {**_read(folder / "defaults/main.yml"), **variables}
        self._templar = templar
        self._see({})

    def validate(self) -> None:
        """Hold what is written for the role's variables against its `meta/argument_specs.yml`."""
        unknown = self._desired.keys() - {*_STATE, *CONDITIONS}
        if unknown:
            raise AnsibleError(f"{self._folder / 'desired.yml'}: {', '.join(sorted(unknown))} is not known")
        spec = _read(self._folder / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
        given = {name: self._variables[name] for name in spec if not _is_template(self._variables.get(name))}
        troubles = ArgumentSpecValidator(spec).validate(given).error_messages
        if troubles:
            raise AnsibleError(f"role {self._folder.name}: {'; '.join(troubles)}")

    def entries(self, what: str) -> Iterator[dict]:
        """The entries of one list of `desired.yml`, with `each`, `when` and `vars` resolved and all text rendered."""
        for declared in self._desired.get(what, []):
            entry = dict(declared)
            each, when, extra = entry.pop("each", None), entry.pop("when", None), entry.pop("vars", {})
            for item in [None] if each is None else self._render(each):
                self._see({} if each is None else {"item": item})
                if when is None or self._templar.evaluate_conditional(trust_as_template(when)):
                    self._templar.available_variables |= {key: self._render(value) for key, value in extra.items()}
                    yield self._entry(entry)
                self._see({})

    def _see(self, more: dict) -> None:
        self._templar.available_variables = self._variables | more

    def _entry(self, entry: dict) -> dict:
        rendered = {key: self._render(value) for key, value in entry.items()}
        if "template" in rendered:
            rendered["content"] = self._text(rendered.pop("template"))
        if "source" in rendered:
            rendered["content"] = (self._folder / "files" / rendered.pop("source")).read_text()
        return rendered

    def _text(self, template: str) -> str:
        """Text of the role's own template of that name, or of the one for all roles."""
        own = self._folder / "templates" / template
        path = f"roles/{self._folder.name}/templates/{template}" if own.exists() else f"templates/{template}"
        return str(self._templar.template(trust_as_template(f"{{% include '{path}' %}}\n")) or "")

    def _render(self, value: object) -> object:
        """Template all text in a value and leave Ansible's own types behind."""
        return json.loads(json.dumps(self._templar.template(value)))


def _is_template(value: object) -> bool:
    return isinstance(value, str) and "{{" in value


@functools.cache
def _read(path: Path) -> dict:
    return DataLoader().load_from_file(str(path), unsafe=True, trusted_as_template=True)


# Ansible imports its plugins before it forks a process for each host: what is read here is read once for all of them.
for _pattern in ("desired.yml", "defaults/main.yml", "meta/argument_specs.yml"):
    for _document in PLAYBOOKS.glob(f"roles/*/{_pattern}"):
        _read(_document)
