"""Typed errors: every refusal says what was asked, why it cannot be, and what would work.

Everything the project raises on purpose derives from :class:`SymspecError`, so a caller
catches one type, and the command line turns it into one line and exit status 2.

>>> issubclass(DomainError, SymspecError) and issubclass(DomainError, ValueError)
True
"""

from __future__ import annotations


class SymspecError(Exception):
    """Root of every error raised on purpose."""


class InputError(SymspecError, ValueError):
    """An argument has a value that no meaning can be given to."""


class DomainError(InputError):
    """A kernel was asked on a domain it does not live on, or at a point off its domain."""


class ParseError(InputError):
    """A text is not an expression of the activation grammar."""


class NetworkFileError(InputError):
    """A file holds no network that can be read."""


class NotSquareIntegrable(SymspecError, ValueError):
    """The activation has infinite second moment under the Gaussian in question."""


class NoClosedForm(SymspecError, NotImplementedError):
    """The object is well defined, but no closed form is known to the engine."""


class ExpressionTooLarge(SymspecError, OverflowError):
    """Writing the object as one expression would take more room than is sensible."""


class ComplexTooLarge(SymspecError, OverflowError):
    """A polyhedral complex has more faces than its budget allows; the message says the count reached."""


class Undecided(SymspecError, ArithmeticError):
    """No proof was reached within the stated precision and effort; no guess is given."""


class Refuted(SymspecError, ArithmeticError):
    """A claim fails the check by which it was to be proved."""


class UnknownName(SymspecError, AttributeError):
    """The package has no object of that name."""


class OutputError(SymspecError, OSError):
    """A result could not be written; nothing half-written is left behind."""


class MissingLibrary(SymspecError, ImportError):
    """An optional library is needed and not installed."""


class CertificateError(SymspecError):
    """A certificate was not proved: the step (or the field of the file) that failed, and why."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"{step}: {reason}")
        self.step, self.reason = step, reason
