"""Properties whose value is made once and kept with its object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import overload

    from typing_extensions import Self

T_co = TypeVar("T_co", covariant=True)


class kept_property(Generic[T_co]):  # noqa: N801 - used like property
    """A property whose value is made when first asked for, and can be replaced.

    Unlike ``functools.cached_property`` before Python 3.12 it takes no lock, which a thread that
    is gone after a fork could hold for ever; threads that come first at once get the same value.
    """

    def __init__(self, make: Callable[[Any], T_co]) -> None:
        """Take the method that makes the value."""
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type[Any]) -> Self: ...

        @overload
        def __get__(self, instance: object, owner: type[Any]) -> T_co: ...

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        """Make the value and keep it under the property's name, which hides the property."""
        if instance is None:
            return self
        return instance.__dict__.setdefault(self._name, self._make(instance))
