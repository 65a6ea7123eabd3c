"""How configuration files and the environment become one tree of values, and how its faults are told."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from contracts.errors import ConfigurationError
from flows.locations import PROJECT_FOLDER, tracking_uri, warehouse_url
from flows.passwords import has_password

BASE = PROJECT_FOLDER / "conf" / "base.toml"

VARIABLES = {"UNCAP_WAREHOUSE_URL": "warehouse.url", "UNCAP_TRACKING_URI": "tracking.uri", "UNCAP_LOG_FORMAT": "logging.format"}
"""The environment variables that are read, and the setting that each overrides."""

ADDRESSES: dict[str, Callable[[str, Path], str]] = {"warehouse.url": warehouse_url, "tracking.uri": tracking_uri}
"""The settings that are addresses, and what makes each absolute."""

Tree = dict[str, Any]


@dataclass(frozen=True)
class Configuration:
    """All values that were set, before their types are checked.

    Attributes
    ----------
    tree
        Sections and keys as in the TOML files, addresses made absolute.
    sources
        Where each dotted path was set last: a file or an environment variable.
    faults
        Addresses that could not be understood.
    base
        The file that holds every key.
    """

    tree: Tree
    sources: Mapping[str, str]
    faults: tuple[str, ...]
    base: Path = BASE


def read_configuration(config: Path | None, environment: Mapping[str, str]) -> Configuration:
    """Lay a configuration file and the environment over conf/base.toml.

    Parameters
    ----------
    config
        A TOML file, or None.
    environment
        Environment variables, of which only ``VARIABLES`` are read; an empty one counts as not set.

    Raises
    ------
    ConfigurationError
        If a file is missing or is not TOML.
    """
    tree: Tree = {}
    sources: dict[str, str] = {}
    folders: dict[str, Path] = {}
    for path in (BASE, config):
        if path is not None:
            values = _read_toml(path)
            tree = overlay(tree, values)
            sources |= {dotted: str(path) for dotted, _ in leaves(values)}
            folders |= {dotted: PROJECT_FOLDER for dotted, _ in leaves(values)}
    for variable, dotted in VARIABLES.items():
        if environment.get(variable):
            tree = overlay(tree, _nested(dotted, environment[variable]))
            sources[dotted], folders[dotted] = variable, Path.cwd()
    tree, faults = _with_absolute_addresses(tree, sources, folders)
    return Configuration(tree, sources, tuple(faults))


def overlay(below: Tree, above: Tree) -> Tree:
    """Return a tree with the values of ``above`` where it has any and of ``below`` elsewhere.

    >>> overlay({"demand": {"seed": 1, "cut_offs": 20}}, {"demand": {"seed": 7}})
    {'demand': {'seed': 7, 'cut_offs': 20}}
    """
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = overlay(merged[key], value) if both else value
    return merged


def leaves(tree: Tree, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value with its dotted path, sections themselves included.

    >>> list(leaves({"demand": {"seed": 7}}))
    [('demand', {'seed': 7}), ('demand.seed', 7)]
    """
    for key, value in tree.items():
        yield prefix + key, value
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")


def faults_of(error: ValidationError, model: type[BaseModel], configuration: Configuration) -> list[str]:
    """Return one line per fault: where it was set, its dotted path, what is wrong, and the nearest known key if it is unknown."""
    known = _known_paths(model)
    lines = []
    for fault in error.errors():
        dotted = ".".join(str(part) for part in fault["loc"])
        source = configuration.sources.get(dotted, str(configuration.base))
        if fault["type"] == "extra_forbidden":
            lines.append(f"{source}: {dotted}: unknown key{_suggestion(dotted, known)}")
        elif fault["type"] == "missing":
            lines.append(f"{source}: {dotted}: missing; expected a value")
        else:
            lines.append(f"{source}: {dotted}: {fault['msg'].removeprefix('Input ')}, not {fault['input']!r}")
    return lines


def _read_toml(path: Path) -> Tree:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be read: {error.strerror}", hint="give --config the path of a TOML file; see conf/production.example.toml"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not TOML: {error}", hint="correct the line it names; texts need quotes") from error


def _nested(dotted: str, value: str) -> Tree:
    section, key = dotted.split(".")
    return {section: {key: value}}


def _with_absolute_addresses(tree: Tree, sources: Mapping[str, str], folders: Mapping[str, Path]) -> tuple[Tree, list[str]]:
    """Return the tree with absolute addresses, and a fault for each that cannot be understood; other types are left to the models."""
    faults = []
    for dotted, absolute in ADDRESSES.items():
        section, key = dotted.split(".")
        address = tree[section].get(key) if isinstance(tree.get(section), dict) else None
        if isinstance(address, str):
            if sources[dotted] not in VARIABLES and has_password(address):
                faults.append(f"{sources[dotted]}: {dotted}: has a password in it; expected secrets in the environment only")
            try:
                tree = overlay(tree, _nested(dotted, absolute(address, folders[dotted])))
            except ValueError as error:
                faults.append(f"{sources[dotted]}: {dotted}: {error}")
    return tree, faults


def _known_paths(model: type[BaseModel], prefix: str = "") -> list[str]:
    paths = []
    for name, field in model.model_fields.items():
        paths.append(prefix + name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            paths += _known_paths(field.annotation, f"{prefix}{name}.")
    return paths


def _suggestion(dotted: str, known: list[str]) -> str:
    """Nearest known key: one of the same name in another section, else the nearest path, else one of nearly the same name."""
    name = dotted.rpartition(".")[2]
    names = {path.rpartition(".")[2] for path in known}
    near_names = get_close_matches(name, names, n=1, cutoff=0.8)
    namesakes = [path for path in known if path.rpartition(".")[2] == name]
    near_namesakes = [path for path in known if near_names and path.rpartition(".")[2] == near_names[0]]
    nearest = (
        get_close_matches(dotted, namesakes, n=1, cutoff=0)
        or get_close_matches(dotted, known, n=1)
        or get_close_matches(dotted, near_namesakes, n=1, cutoff=0)
    )
    return f"; did you mean {nearest[0]}?" if nearest else f"; known sections are {', '.join(path for path in known if '.' not in path)}"
