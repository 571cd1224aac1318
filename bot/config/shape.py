"""What may stand at one place of the configuration."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic.fields import FieldInfo

from bot.settings import Settings, Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A field's type, taken apart. Lists and dictionaries are those that YAML can write."""

    kind: Any
    """A class, a `Literal`, or `Any`; the origin of a generic type."""
    metadata: tuple[Any, ...] = ()
    nullable: bool = False
    item: "Shape | None" = None
    """Of a list's entries or a dictionary's values."""
    key: "Shape | None" = None
    """Of a dictionary's keys."""
    options: tuple["Shape", ...] = ()
    """Of a union, beside None."""

    @classmethod
    def of(cls, annotation: Any, metadata: tuple[Any, ...] = ()) -> "Shape":
        """Take a type annotation apart."""
        nullable = False
        while True:
            origin, arguments = get_origin(annotation), get_args(annotation)
            if origin is Annotated:
                annotation, *extra = arguments
                metadata = (*metadata, *_flat(extra))
            elif origin in {Union, UnionType}:
                options = [option for option in arguments if option is not NoneType]
                nullable = nullable or len(options) < len(arguments)
                if len(options) > 1:
                    return cls(
                        kind=Any,
                        metadata=metadata,
                        nullable=nullable,
                        options=tuple(cls.of(option) for option in options),
                    )
                annotation = options[0]
            else:
                break
        known: dict[str, Any] = {"metadata": metadata, "nullable": nullable or annotation is Any}
        if origin is dict:
            return cls(kind=dict, key=cls.of(arguments[0]), item=cls.of(arguments[1]), **known)
        if origin in {tuple, list}:
            return cls(kind=list, item=cls.of(arguments[0]), **known)
        return cls(kind=annotation, **known)

    @classmethod
    def of_field(cls, field: FieldInfo) -> "Shape":
        """The shape of a model's field."""
        return cls.of(field.annotation, tuple(_flat(field.metadata)))

    @property
    def model(self) -> type[BaseModel] | None:
        """The settings class, where this is a section with known keys."""
        return self.kind if isinstance(self.kind, type) and issubclass(self.kind, BaseModel) else None

    @property
    def is_container(self) -> bool:
        """Whether YAML writes it as a list or as a section."""
        return self.kind in {list, dict} or self.model is not None

    def child(self, part: str | int) -> "Shape | None":
        """What may stand below `part`; None where nothing may."""
        if self.model:
            field = self.model.model_fields.get(canonical(self.model, part))
            return Shape.of_field(field) if field else None
        return self.item

    def literals(self) -> tuple[str, ...]:
        """The words that are allowed, where only some are."""
        if get_origin(self.kind) is Literal:
            return tuple(word for word in get_args(self.kind) if isinstance(word, str))
        return tuple(word for option in self.options for word in option.literals())

    def describe(self) -> str:
        """What is allowed, in words that follow `must be`."""
        for extra in reversed(self.metadata):
            if isinstance(extra, Wording):
                return extra.text
        if self.options:
            return ", or ".join(option.describe() for option in self.options)
        words = self.literals()
        if words:
            return words[0] if len(words) == 1 else f"one of: {', '.join(words)}"
        if self.model:
            return "a section with keys of its own"
        names = {
            bool: "true or false",
            int: f"a whole number{self._range()}",
            float: f"a number{self._range()}",
            str: "text",
            SecretStr: "text",
            list: f"a list{self._length()}, such as [a, b]",
            dict: f"a section{self._length()}, each written as key: value",
        }
        return names.get(self.kind, "a value that this key can use")

    def _range(self) -> str:
        low, high = self._limit(Ge, Gt), self._limit(Le, Lt)
        whole = self.kind is int
        if isinstance(low, Gt) and whole:
            low = Ge(int(str(low.gt)) + 1)
        if isinstance(high, Lt) and whole:
            high = Le(int(str(high.lt)) - 1)
        if isinstance(low, Ge) and isinstance(high, Le):
            return f" from {low.ge} to {high.le}"
        bounds = {Ge: "of at least", Gt: "above", Le: "of at most", Lt: "below"}
        texts = [f"{bounds[type(limit)]} {_bound(limit)}" for limit in (low, high) if limit is not None]
        return f" {' and '.join(texts)}" if texts else ""

    def _length(self) -> str:
        low, high = self._limit(MinLen), self._limit(MaxLen)
        texts = []
        if isinstance(low, MinLen) and low.min_length:
            texts.append(f"at least {low.min_length}")
        if isinstance(high, MaxLen):
            texts.append(f"at most {high.max_length}")
        return f" with {' and '.join(texts)} {'entry' if texts == ['at least 1'] else 'entries'}" if texts else ""

    def _limit(self, *kinds: type) -> Any:
        return next((extra for extra in self.metadata if isinstance(extra, kinds)), None)


def _bound(limit: Ge | Gt | Le | Lt) -> Any:
    return next(getattr(limit, name) for name in ("ge", "gt", "le", "lt") if hasattr(limit, name))


def _flat(metadata: Any) -> Iterator[Any]:
    for extra in metadata:
        if isinstance(extra, FieldInfo):
            yield from extra.metadata
        else:
            yield extra


def aliases(field: FieldInfo) -> tuple[str, ...]:
    """The other names under which the YAML file may have this field."""
    choices = field.validation_alias
    if isinstance(choices, AliasChoices):
        return tuple(choice for choice in choices.choices if isinstance(choice, str))
    return (choices,) if isinstance(choices, str) else ()


def canonical(model: type[BaseModel], key: str | int) -> str:
    """The field that `key` names, itself or as an alias; `key` as text where there is none."""
    for name, field in model.model_fields.items():
        if key == name or key in aliases(field):
            return name
    return str(key)


def known_keys(model: type[BaseModel]) -> tuple[str, ...]:
    """Every key that a section may have, aliases left out."""
    return tuple(model.model_fields)


def is_secret(model: type[BaseModel] | None, key: str | int) -> bool:
    """Whether the value of `key` must not be shown: a secret, or what was written where its variable's name belongs."""
    if model is None or not issubclass(model, Settings):
        return False
    return any(key in {name, f"{name}_env"} for name in model.secret_fields())
