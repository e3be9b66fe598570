r"""What the subcommands of every storey share: reading arguments, exact JSON, safe folders.

A subcommand is a function that takes an :class:`argparse.ArgumentParser`, adds its arguments and
returns the function that runs it; its docstring is the help, first line first. It is registered
in the entry-point group ``symspec.commands``::

    def study(parser: ArgumentParser) -> Runner:
        "Derive, evaluate and prove the spectrum of a network, and write a report."
        network_arguments(parser)
        domain_argument(parser)
        return _study

Modules that define subcommands are imported for ``--help`` too, so they import sympy and other
heavy libraries inside the functions that run.

>>> parse_degrees("0:100:20"), parse_degrees("1,2,5:7")
([0, 20, 40, 60, 80, 100], [1, 2, 5, 6, 7])
>>> to_json({"degree": 3, "value": Fraction(1, 3)})
'{\n  "degree": 3,\n  "value": "1/3"\n}'
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import InputError, OutputError

if TYPE_CHECKING:
    from .domain import Domain
    from .kernel import Kernel
    from .layers import Architecture

Runner = Callable[[Namespace], int | None]

MAX_DEGREES = 1_000_000
IMAGE_HELP = "; cnn:FILTER,PIXELS and then any of eq, trace, gap, conv, pointwise, circular, zero, stride=S: convolutional, such as cnn:2,4,trace or cnn:3x3,8x8,pointwise"
_SIZES = re.compile(r"\d{1,6}(?:x\d{1,6}){0,3}", re.ASCII)
DOMAIN_HELP = (
    "sphere:D (inputs uniform on the unit sphere of R^D), circle, cube:D (uniform on {-1,1}^D), gaussian:D (standard normal), "
    "or multisphere:C,P (P pixels on the sphere of R^C, for convolutional kernels)"
)
_RANGE = re.compile(r"(\d{1,18})(?::(\d{1,18})(?::(\d{1,18}))?)?", re.ASCII)
_LAYER = re.compile(r"ntk-layer:(\d{1,9})", re.ASCII)
_TOTAL = re.compile(r"total:(\d{1,6})", re.ASCII)
_SAFE_INTEGER = 2**53


def parse_degrees(text: str) -> list[int]:
    """Degrees from ``5``, ``0:30``, ``0:100:10`` (start:stop:step, both ends included) or a comma list of these.

    Ascending, each once. Raises InputError for anything else, negative numbers included.
    """
    degrees: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if not match:
            raise InputError(f"degrees {text[:40]!r} are not understood; write 5, 0:30, 0:100:10 or 1,2,5 with numbers from 0 on")
        start, stop, step = (int(group) if group else None for group in match.groups())
        assert start is not None
        stop, step = start if stop is None else stop, 1 if step is None else step
        if step == 0 or stop < start:
            raise InputError(f"degrees {part.strip()!r} are an empty range; write start:stop:step with start <= stop and step >= 1")
        if (stop - start) // step >= MAX_DEGREES:
            raise InputError(f"degrees {part.strip()!r} are more than {MAX_DEGREES}")
        degrees.update(range(start, stop + 1, step))
    return sorted(degrees)


def degrees_argument(parser: ArgumentParser, default: str) -> None:
    """Add ``--degrees``; read it with degrees_from(args)."""
    images = "on multisphere:C,P multi-indices, such as '1,1;2,0', or total:N for all with entries that add up to at most N"
    parser.add_argument("--degrees", metavar="K", help=f"degrees: 5, 0:30, 0:100:10 (ends included) or 1,2,5 (default {default}); {images}")
    parser.set_defaults(default_degrees=default)


def degrees_from(args: Namespace, domain: Domain | None = None) -> list[Any]:
    """The degrees of ``--degrees``; without it the default ones, as far as the domain has them."""
    if domain is not None and hasattr(domain, "pixels"):
        return _multi_indices(args.degrees, int(domain.pixels))
    if args.degrees is not None:
        return parse_degrees(args.degrees)
    last = None if domain is None else domain.highest_degree
    return [k for k in parse_degrees(args.default_degrees) if last is None or k <= last]


def _multi_indices(text: str | None, pixels: int) -> list[tuple[int, ...]]:
    """Multi-indices from ``1,1;2,0`` or ``total:N``; by default those that are 0, 1 or 2 at the first pixel and 0 elsewhere, and all ones."""
    if text is None:
        return [*((k, *(0,) * (pixels - 1)) for k in range(3)), *([(1,) * pixels] if pixels > 1 else [])]
    match = _TOTAL.fullmatch(text.strip())
    if match:
        return multi_indices_to(int(match.group(1)), pixels)
    found = []
    for part in text.split(";"):
        entries = part.strip().split(",")
        if not all(entry.strip().isascii() and entry.strip().isdigit() and len(entry.strip()) < 10 for entry in entries):
            raise InputError(f"multi-index {part.strip()[:40]!r} is not understood; write one number a pixel, and several as 1,1;2,0, or total:N")
        found.append(tuple(int(entry) for entry in entries))
    return found


def multi_indices_to(total: int, pixels: int) -> list[tuple[int, ...]]:
    """All multi-indices whose entries add up to at most ``total``, by that sum. InputError for more than MAX_DEGREES."""
    from math import comb

    if comb(total + pixels, pixels) > MAX_DEGREES:
        raise InputError(f"total:{total} on {pixels} pixels are more than {MAX_DEGREES} multi-indices")
    levels: list[list[tuple[int, ...]]] = [[()] if n == 0 else [] for n in range(total + 1)]
    for _ in range(pixels):
        levels = [[(*index, n - below) for below in range(n, -1, -1) for index in levels[below]] for n in range(total + 1)]
    return [index for level in levels for index in sorted(level, reverse=True)]


def activation_argument(parser: ArgumentParser) -> None:
    """Add the positional ``activation``."""
    parser.add_argument(
        "activation",
        help="a name (relu, erf, gelu, leaky_relu(1/10), rectified_monomial(2), ...) or text in x such as 'x*exp(-x**2)'",
    )


def network_arguments(parser: ArgumentParser, *, kernel: bool = True, images: bool = False) -> None:
    """Add the activation, the architecture, the depth and (unless ``kernel`` is false) the kernel; read them with network_from and kernel_from.

    ``images`` says that the command takes convolutional networks too.
    """
    activation_argument(parser)
    described = "mlp: fully connected; resnet: residual blocks x + alpha V sigma(W x)" + (IMAGE_HELP if images else "")
    parser.add_argument("--network", default="mlp", metavar="NET", help=f"{described} (default %(default)s)")
    parser.set_defaults(takes_images=images)
    parser.add_argument("--depth", default="1", metavar="N", help="number of hidden layers, or of residual blocks (default %(default)s)")
    parser.add_argument("--alpha", metavar="A", help="weight of the branch of a residual block, a positive number; --network resnet needs it")
    if kernel:
        parser.add_argument(
            "--kernel", default="ntk", metavar="KIND", help="ck, ntk, or ntk-layer:L for what weight layer L = 1..depth+1 contributes (resnet: W and V of each block, 1..2 depth; default %(default)s)"
        )
    parser.add_argument("--sigma-w2", metavar="W", help="weight variance of every layer: the NTK parametrisation instead of the normalised recursion")
    parser.add_argument("--sigma-b2", metavar="B", help="bias variance of every layer, likewise")


def network_from(args: Namespace) -> Architecture:
    """The network that the arguments describe."""
    from .activations import activation
    from .network import mlp
    from .residual import resnet

    if args.network.startswith("cnn:") and args.takes_images:
        return _convolutional(args)
    if args.network not in ("mlp", "resnet"):
        known = "mlp, resnet or cnn:FILTER,PIXELS" if args.takes_images else "mlp or resnet; convolutional networks are taken by the commands derive, eigenvalues, gram and study"
        raise InputError(f"network {args.network[:40]!r} is not known; write {known}")
    if args.network == "resnet":
        if args.sigma_w2 is not None or args.sigma_b2 is not None:
            raise InputError("--sigma-w2 and --sigma-b2 belong to --network mlp; a residual network takes --alpha")
        if args.alpha is None:
            raise InputError("--network resnet needs --alpha, the weight of the branch, such as --alpha 1/2")
        return resnet(activation(args.activation), args.depth, args.alpha)
    if args.alpha is not None:
        raise InputError("--alpha belongs to residual networks; add --network resnet")
    return mlp(activation(args.activation), args.depth, sigma_w2=args.sigma_w2, sigma_b2=args.sigma_b2)


def _convolutional(args: Namespace) -> Any:
    """The network of cnn:FILTER,PIXELS,..."""
    from .activations import activation
    from .convolution import FIRST_LAYERS, HEADS, PADDINGS, cnn

    if args.alpha is not None:
        raise InputError("--alpha belongs to residual networks; add --network resnet")
    filters, _, rest = args.network[4:].partition(",")
    pixels, *options = rest.split(",")
    if not (_SIZES.fullmatch(filters) and _SIZES.fullmatch(pixels)):
        raise InputError(f"network {args.network[:40]!r} is not understood; write cnn:FILTER,PIXELS with sizes such as 3 or 3x3")
    chosen: dict[str, Any] = {}
    for option in options:
        keys = [key for key, known in (("head", HEADS), ("first_layer", FIRST_LAYERS), ("padding", PADDINGS)) if option in known]
        name, _, value = option.partition("=")
        if not keys and not (name == "stride" and _SIZES.fullmatch(value)):
            raise InputError(f"{option[:40]!r} is no property of a convolutional network; write {', '.join((*HEADS, *FIRST_LAYERS, *PADDINGS))} or stride=S")
        key = keys[0] if keys else "stride"
        if key in chosen:
            raise InputError(f"network {args.network[:40]!r} gives the {key} twice")
        chosen[key] = option if keys else _sizes(value)
    return cnn(activation(args.activation), args.depth, _sizes(filters), _sizes(pixels), sigma_w2=args.sigma_w2, sigma_b2=args.sigma_b2, **chosen)


def _sizes(text: str) -> int | tuple[int, ...]:
    sizes = tuple(map(int, text.split("x")))
    return sizes[0] if len(sizes) == 1 else sizes


def kernel_from(args: Namespace, network: Architecture | None = None) -> Kernel:
    """The kernel that ``--kernel`` chooses; ``network`` saves building it twice."""
    net = network_from(args) if network is None else network
    kind = args.kernel.strip().lower()
    if kind in ("ck", "ntk"):
        return net.ck if kind == "ck" else net.ntk
    match = _LAYER.fullmatch(kind)
    if not match:
        raise InputError(f"kernel {args.kernel[:40]!r} is not known; write ck, ntk or ntk-layer:L")
    layer, parts = int(match.group(1)), net.ntk_layers
    if not 1 <= layer <= len(parts):
        raise InputError(f"kernel ntk-layer:{layer} does not exist: depth {net.depth} has the weight layers 1 to {len(parts)}")
    return parts[layer - 1]


def domain_argument(parser: ArgumentParser, default: str | None = None) -> None:
    """Add ``--domain``; read it with domain_from."""
    parser.add_argument("--domain", default=default, required=default is None, metavar="D", help=DOMAIN_HELP)


def domain_from(args: Namespace) -> Domain:
    """The domain that ``--domain`` names."""
    from .domain import parse_domain

    return parse_domain(args.domain)


def json_argument(parser: ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON with every number as exact text")


def to_json(value: Any) -> str:
    """JSON text in which no number is rounded.

    Integers that every JSON reader keeps (below 2^53) are numbers, all other numbers and
    expressions text. A float is refused: write it as the text it is meant to be.
    """
    return json.dumps(_jsonable(value), indent=2, ensure_ascii=False)


def _jsonable(value: Any) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if abs(value) < _SAFE_INTEGER else str(value)
    if isinstance(value, (Fraction, Path)):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(item) for item in value]
    if type(value).__module__.partition(".")[0] == "sympy":
        return _jsonable(int(value)) if value.is_Integer else str(value)
    raise InputError(f"{type(value).__name__} has no exact JSON form; convert it to text first")


def require_one_form(args: Namespace) -> None:
    """Refuse --json together with --latex."""
    if args.json and args.latex:
        raise InputError("--json and --latex exclude each other; the JSON holds the LaTeX too")


def write_text(target: str | os.PathLike[str], text: str) -> None:
    """Write a file completely or not at all: a draft beside it takes its place. Raises OutputError."""
    path = Path(os.path.abspath(target))
    draft: Path | None = None
    try:
        if path.is_dir():
            raise OutputError(f"{path} is a folder; name a file")
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}-", dir=path.parent)
        draft = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        draft.chmod(0o666 & ~_umask())
        draft.replace(path)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)


@contextmanager
def writing_folder(target: str | os.PathLike[str], marker: str) -> Iterator[Path]:
    """Write a folder completely or not at all.

    Yields a temporary folder beside ``target``; when the block ends well it takes the target's
    place, and when it does not, it is removed. An existing folder is replaced only if it is
    empty or holds the file ``marker``, which every folder of that kind contains. Raises
    OutputError where the target cannot be written, before the block runs whenever that can be
    known.
    """
    path = Path(os.path.abspath(target))
    _require_replaceable(path, marker)
    try:
        draft = Path(tempfile.mkdtemp(prefix=f".{path.name[:40]}-", dir=path.parent))
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}; choose another folder with --out") from None
    try:
        draft.chmod(0o777 & ~_umask())
        yield draft
        if not (draft / marker).is_file():
            raise OutputError(f"nothing was written to {path}: the file {marker} is missing")
        _take_place(draft, path, marker)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _require_replaceable(path: Path, marker: str) -> None:
    try:
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise OutputError(f"{path} exists and is not a folder; choose another with --out")
        if path.is_dir() and any(path.iterdir()) and not (path / marker).is_file():
            raise OutputError(f"{path} holds files that were not written by symspec (no {marker}); choose another folder with --out")
        if not path.parent.is_dir():
            raise OutputError(f"cannot write {path}: the folder {path.parent} does not exist")
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None


def _take_place(draft: Path, path: Path, marker: str) -> None:
    """Rename the draft to the target; an older folder is kept aside until that has worked."""
    _require_replaceable(path, marker)
    if not path.exists():
        draft.rename(path)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name[:40]}-old-", dir=path.parent))
    try:
        path.rename(aside / "old")
        try:
            draft.rename(path)
        except OSError:
            (aside / "old").rename(path)
            raise
    finally:
        with suppress(OSError):
            shutil.rmtree(aside)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
