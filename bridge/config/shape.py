"""Which model stands at which path of a configuration: for suggestions, for secrets, for the words of a complaint."""

import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo

from bridge.config.reading import Path_


class Shape:
    """The models of one concrete document: `models[path]` validates the mapping at `path`."""

    def __init__(self) -> None:
        self.models: dict[Path_, type[BaseModel]] = {}

    def add(self, model: type[BaseModel], data: Any, path: Path_) -> None:
        """Note `model` at `path` and every model below it that `data` chooses."""
        if not isinstance(data, Mapping):
            return
        self.models[path] = model
        for name, info in fields(model).items():
            if name in data and (*path, name) not in self.models:
                self._descend(info.annotation, data[name], (*path, name))

    def _descend(self, annotation: Any, data: Any, path: Path_) -> None:
        origin = get_origin(annotation)
        if origin in (dict, Mapping) or (origin is not None and getattr(origin, "__name__", "") == "Mapping"):
            if isinstance(data, Mapping):
                for key, value in data.items():
                    self._descend(get_args(annotation)[-1], value, (*path, key))
            return
        if origin in (list, tuple, set, frozenset):
            if isinstance(data, list):
                for index, value in enumerate(data):
                    self._descend(get_args(annotation)[0], value, (*path, index))
            return
        chosen = _choose(list(_models(annotation)), data)
        if chosen is not None:
            self.add(chosen, data, path)

    def known(self, path: Path_) -> list[str]:
        """Return the keys that may stand below `path`."""
        model = self.models.get(path)
        return list(fields(model)) if model else []

    def field(self, path: Path_) -> FieldInfo | None:
        """Return the field at `path`, if a model declares it."""
        model = self.models.get(path[:-1]) if path else None
        return fields(model).get(str(path[-1])) if model else None

    def is_secret(self, path: Path_) -> bool:
        """Return whether the value at `path` is a secret (also inside a list or map of secrets)."""
        return self._holds(path, (SecretStr, SecretBytes))

    def is_path(self, path: Path_) -> bool:
        """Return whether the value at `path` is the name of a file or folder."""
        return self._holds(path, (Path,))

    def _holds(self, path: Path_, kinds: tuple[type, ...]) -> bool:
        while path and self.field(path) is None:
            path = path[:-1]
        info = self.field(path) if path else None
        return info is not None and not any(_models(info.annotation)) and _mentions(info.annotation, kinds)


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of `model` by the key that stands in the file (an alias where there is one)."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _mentions(annotation: Any, kinds: tuple[type, ...]) -> bool:
    return annotation in kinds or any(_mentions(inner, kinds) for inner in get_args(annotation))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _models(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for inner in get_args(annotation):
            yield from _models(inner)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation


def _choose(models: list[type[BaseModel]], data: Any) -> type[BaseModel] | None:
    """Return the model that `data` means: the one whose literal fields (a discriminator) equal what is written."""
    if not isinstance(data, Mapping):
        return None
    for model in models:
        literals = {
            name: get_args(info.annotation)
            for name, info in fields(model).items()
            if get_origin(info.annotation) is Literal
        }
        if (
            literals
            and all(data.get(name) in values for name, values in literals.items() if name in data)
            and (len(models) == 1 or any(name in data for name in literals))
        ):
            return model
    return models[0] if len(models) == 1 else None
