"""What is wrong with a command line, in one line: what was given, what is allowed, what to do."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin

import typer

from vasgen.errors import suggest

#: The base of all errors in a command line, of the click that Typer is made with.
UsageError: type[Exception] = typer.BadParameter.__mro__[1]

_KINDS = {int: "a whole number", float: "a number"}
_NUMBERS = {int: r"[-+]?\d+", float: r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?"}


def is_help(error: Exception) -> bool:
    """Whether an error is no mistake but the help, which a bare ``vasgen`` shows."""
    return type(error).__name__ == "NoArgsIsHelpError"


def usage_line(error: Any, words: Sequence[str]) -> str:
    """The line for a command line that cannot be read.

    Args:
        error: a :data:`UsageError`.
        words: of the command line, from the name of the command on.
    """
    command = " ".join(["vasgen", *words[:1]])
    more = f"see {command} --help."
    kind = type(error).__name__
    if kind == "NoSuchOption":
        flags = [flag for p in error.ctx.command.params for flag in (*p.opts, *p.secondary_opts)]
        close = re.search("Did you mean.*", suggest(error.option_name, flags))
        hint = f". {close[0]}" if close else f"; {more}"
        return f"{error.option_name} is no option of {command}{hint}"
    if kind == "BadOptionUsage":
        wants = "needs a value" if "requires" in error.message else "takes no value"
        return f"{error.option_name} {wants}; {more}"
    if kind == "MissingParameter":
        return f"{_flag(error.param)} is missing: give it, or {more}"
    if kind == "BadParameter" and error.param is not None:
        return _bad_value(error, words, more)
    extra = re.search(r"extra argument.*\((.*)\)$", error.message)
    if extra:
        return f"{extra[1]!r} is more than {command} takes: leave that out, or {more}"
    return f"{error.message.rstrip('.')}; {more}"


def _bad_value(error: Any, words: Sequence[str], more: str) -> str:
    """The line for a value that an option does not take."""
    flag, given = _flag(error.param), _given(error, words)
    kind, option = _declared(error)
    if given is None or option is None:
        return f"{flag}: {error.message.rstrip('.')}; {more}"
    if get_origin(kind) is Literal:
        return f"{flag} is {given!r}; {suggest(given, get_args(kind))}"
    bounds = limits_in_words(option.min, option.max)
    number = re.fullmatch(_NUMBERS.get(kind, ""), given)
    allowed = bounds if number and bounds else ", ".join(filter(None, [_KINDS.get(kind), bounds]))
    shown = given if re.fullmatch(_NUMBERS[float], given) else repr(given)
    return f"{flag} is {shown}; allowed: {allowed}." if allowed else f"{flag} is {shown}; {more}"


def limits_in_words(low: float | None, high: float | None) -> str:
    """A range of numbers, e.g. ``"0 to 24"`` or ``"1 or more"``; empty if there is none."""
    if low is not None and high is not None:
        # Whole numbers are told whole, however large.
        return " to ".join(str(int(end)) if end == int(end) else f"{end:g}" for end in (low, high))
    if low is not None:
        return f"{low:g} or more"
    return "" if high is None else f"at most {high:g}"


def _flag(parameter: Any) -> str:
    """How the user names a parameter: its long option, or the place of an argument."""
    if str(parameter.param_type_name) == "option":
        return str(max(parameter.opts, key=len))
    return str(parameter.metavar or parameter.name.upper())


def _given(error: Any, words: Sequence[str]) -> str | None:
    """The value of an option that is wrong, among the words of a command line; None if none is."""
    option, found = error.param, []
    for word, after in zip(words, [*words[1:], None], strict=True):
        name, equals, value = word.partition("=")
        if name in option.opts and (equals or after is not None):
            found.append(value if equals else str(after))
    if option.multiple:
        found = [text for text in found if not _reads(option, text, error.ctx)][:1]
    return found[-1] if found else None  # of an option that does not repeat, the last counts


def _reads(option: Any, text: str, context: Any) -> bool:
    """Whether an option that may be repeated takes a value."""
    try:
        option.process_value(context, [text])
    except UsageError:
        return False
    return True


def _declared(error: Any) -> tuple[Any, Any]:
    """Type of an option's value, and what was said of it where the command is defined."""
    signature = inspect.signature(error.ctx.command.callback, eval_str=True)
    kind, *about = get_args(signature.parameters[error.param.name].annotation)
    one = next((a for a in get_args(kind) if a is not type(None)), kind)
    if get_origin(kind) is Literal:
        one = kind
    if get_origin(one) is list:
        (one,) = get_args(one)
    return one, about[0] if about else None
