r"""What a study writes: ``study.json`` with every number as exact text, and ``study.tex``.

In the JSON a certified number is a decimal ball (midpoint and radius) and the exact binary ball, both as text; floats of
the Gram check are written so that they read back to the same float. The document holds the recursion, the theorem with its
derivation, the table and the plot.

>>> import symspec as ss
>>> from .study import Request, conduct
>>> net = ss.mlp(ss.relu, 1)
>>> study = conduct(Request(net, net.ck, ss.Sphere(3), (0, 1), digits=20, points=0))
>>> record(study)["eigenvalues"][1]["closed_form"], rounded_text(study.rows[1].eigenvalue, 20)
('1/6', '0.16666666666666666667')
"""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flint import arb, fmpz

import numerics
from numerics.decay_command import law_record
from numerics.exact_text import ball_record, decimal_ball, rounded_text
from symspec import __version__
from symspec.command_line import to_json
from symspec.domain import BooleanCube, Gaussian, Sphere
from symspec.latex import display, document, escape, tex

from .study import PARITIES, Row, Study, certificate_lines, leading_terms, rate

if TYPE_CHECKING:
    from .gram_statistics import DegreeCheck

MARKER = "study.json"
CERTIFICATE = "certificate.json"
SPARE_DIGITS = 3
PRINTED_DIGITS = 50
RATIO_DIGITS = 6


def record(study: Study) -> dict[str, Any]:
    """The study as JSON-ready data without a float."""
    request = study.request
    network = request.network
    digits = request.digits + SPARE_DIGITS
    return {
        "format": "symspec study 1",
        "inputs": {
            "activation": str(network.activation.form),
            "name": network.activation.name or None,
            "depth": network.depth,
            "parametrisation": _parametrisation(study),
            "kernel": request.kernel.name,
            "domain": str(request.domain),
            "degrees": list(request.degrees),
            "digits": request.digits,
            "points": request.points,
            "seed": request.seed,
        },
        "versions": versions(),
        "kernel": {
            "recursion": [{"symbol": str(line.symbol), "expression": str(line.expr)} for line in request.kernel.program.lines],
            "output": str(request.kernel.program.output),
            "latex": request.kernel.latex(),
            "at_one": ball_record(numerics.evaluate(request.kernel, 1, request.digits), digits),
        },
        "decay_law": _law_record(study, digits),
        "bounds": _bounds_record(study),
        "closed_form": None if study.closed_form is None else str(study.closed_form),
        "eigenvalues": [_row_record(row, digits) for row in study.rows],
        "sum_of_shares": ball_record(study.total_share, digits),
        "eigenvalues_beyond": [_row_record(row, digits) for row in study.further],
        "gram_check": {"none": study.gram_note} if study.gram is None else {"degrees": [_gram_record(check) for check in study.gram]},
        "guarantees": certificate_lines(study),
    }


def _bounds_record(study: Study) -> dict[str, Any]:
    """The certificate's content, or its theorem where the checker cannot rebuild the kernel."""
    if study.bounds is None:
        return {"none": study.bounds_note}
    if study.bounds.description is None:
        return {"theorem": str(study.bounds), "latex": study.bounds.statement()}
    return study.bounds.record()


def _law_record(study: Study, digits: int) -> dict[str, Any]:
    if study.law is None:
        return {"none": study.law_note}
    balls = {parity: ball_record(term.constant, digits) for parity, term in leading_terms(study.law).items()}
    return law_record(study.law, study.request.digits) | {"constant_balls": balls}


def _parametrisation(study: Study) -> Any:
    return study.request.network.parameters or "normalised"


def versions() -> dict[str, str]:
    """Of the package and of the libraries that compute."""
    return {"symspec": __version__, "python": platform.python_version()} | {name: metadata.version(name) for name in ("sympy", "mpmath", "python-flint", "numpy")}


def _row_record(row: Row, digits: int) -> dict[str, Any]:
    def optional(value: arb | None) -> Any:
        return None if value is None else ball_record(value, digits)

    return {
        "degree": row.degree,
        "multiplicity": str(row.multiplicity),
        "eigenvalue": ball_record(row.eigenvalue, digits),
        "closed_form": None if row.closed_form is None else str(row.closed_form),
        "ratio_to_law": optional(row.to_law),
        "ratio_to_shifted_law": optional(row.to_shifted_law),
        "share": ball_record(row.share, digits),
    }


def _gram_record(check: DegreeCheck) -> dict[str, Any]:
    floats = {name: repr(getattr(check, name)) for name in ("estimate", "standard_error", "z_score")}
    return {"degree": check.degree, **floats, "certified": ball_record(check.certified, 20)}


def write(study: Study, folder: Path, *, plot: str | None) -> None:
    """Write study.json, study.tex and, where bounds for every degree were proved, certificate.json; ``plot`` is the name of the figure's file, or None."""
    (folder / MARKER).write_text(to_json(record(study)) + "\n", encoding="utf-8")
    if study.bounds is not None and study.bounds.description is not None:
        (folder / CERTIFICATE).write_text(to_json(study.bounds.record()) + "\n", encoding="utf-8")
    (folder / "study.tex").write_text(latex(study, plot=plot), encoding="utf-8")


def latex(study: Study, *, plot: str | None) -> str:
    """The document."""
    request = study.request
    figure = [] if plot is None else [_figure(study, plot)]
    sections = [_network_section(study), *figure, *_law_section(study), *_bounds_section(study), *_chains_section(study), _table_section(study)]
    if study.gram is not None:
        sections.append(_gram_section(study, study.gram))
    sections.append(guarantee_section(certificate_lines(study)))
    return document(rf"Spectrum of the {escape(request.kernel.name)} on {request.domain.latex_name}", "\n\n".join(sections))


def _network_section(study: Study) -> str:
    request = study.request
    parts = [
        r"\section{The network and its kernel}",
        request.network.conventions(),
        display(request.network.latex()),
        rf"The kernel studied is the {escape(request.kernel.name)}, as a function of the correlation $\rho={request.domain.correlation}$:",
        display(request.kernel.latex()),
    ]
    return "\n".join(parts)


def _chains_section(study: Study) -> list[str]:
    """Weak spectral simplicity; on spheres the decay law says more."""
    if study.chains is None or isinstance(study.request.domain, Sphere):
        return []
    parts = [
        r"\section{The order of the eigenvalues}",
        r"\newtheorem*{chains}{Theorem (weak spectral simplicity)}",
        r"\begin{chains}",
        study.chains.statement(),
        r"\end{chains}",
        r"\begin{proof}",
        study.chains.proof(),
        r"\end{proof}",
    ]
    return ["\n".join(parts)]


def _law_section(study: Study) -> list[str]:
    if study.law is None:
        return [r"\section{Decay}" + f"\nNo decay law was derived: {escape(study.law_note)}."] if isinstance(study.request.domain, Sphere) else []
    parts = [
        r"\section{The decay law}",
        r"\newtheorem*{law}{Theorem}",
        r"\begin{law}",
        study.law.statement(),
        r"\end{law}",
        *_constants(study),
        r"\subsection*{Derivation}",
        study.law.proof(),
    ]
    return ["\n".join(parts)]


def _bounds_section(study: Study) -> list[str]:
    if study.bounds is None:
        return []
    checked = r" The file \texttt{certificate.json} holds the proof; \texttt{symspec verify} checks it." if study.bounds.description is not None else ""
    parts = [
        r"\section{Bounds for every degree}",
        r"\newtheorem*{bounds}{Theorem}",
        r"\begin{bounds}",
        study.bounds.statement(),
        r"\end{bounds}",
        r"\begin{proof}",
        study.bounds.proof() + checked,
        r"\end{proof}",
    ]
    return ["\n".join(parts)]


def _constants(study: Study) -> list[str]:
    known = rate(study.law)
    if known is not None:
        return [rf"Numerically, $r=R+\sqrt{{R^2-1}}={tex_number(decimal_ball(known, 15)[0])}$."]
    terms = leading_terms(study.law)
    if not terms:
        return []
    values = [rf"$C_{{\mathrm{{{parity}}}}}={tex_number(decimal_ball(term.constant, 15)[0])}$" for parity, term in terms.items()]
    return [f"Numerically, {', '.join(values)}."]


def tex_number(text: str) -> str:
    """A decimal in LaTeX mathematics mode."""
    digits, _, exponent = text.partition("e")
    return digits + (rf"\cdot10^{{{int(exponent)}}}" if exponent and int(exponent) else "")


def _table_section(study: Study) -> str:
    request = study.request
    digits = min(request.digits, PRINTED_DIGITS)
    law = any(row.to_shifted_law is not None for row in study.rows)
    head = [r"$k$", rf"${request.domain.multiplicity_symbol}$", r"$\mu_k$", *([r"$\mu_k/\mathrm{law}$"] if law else []), "share"]
    columns = "rrl" + "r" * (len(head) - 3)
    lines = [r"\section{Certified eigenvalues}", _table_text(study, digits, law=law)]
    size = r"\small" if digits <= 30 else r"\footnotesize"
    lines += [r"\begingroup", size, r"\setlength{\tabcolsep}{5pt}", rf"\begin{{longtable}}{{{columns}}}", r"\toprule", " & ".join(head) + r" \\", r"\midrule", r"\endhead", r"\bottomrule", r"\endfoot"]
    lines += [" & ".join(_table_row(row, digits, law=law)) + r" \\" for row in study.rows]
    return "\n".join([*lines, r"\end{longtable}", r"\endgroup", *_closed_form_text(study)])


def _table_text(study: Study, digits: int, *, law: bool) -> str:
    domain = study.request.domain
    count = domain.multiplicity_symbol
    total = r"$E[(|x|^2/d)^m]K(1)$" if isinstance(domain, Gaussian) else "$K(1)$"
    text = [
        rf"Normalisation: {domain.measure}; $\mu_k$ is the eigenvalue of {domain.eigenfunction},",
        rf"of which there are ${count}$; the share is ${count}\mu_k$ over the sum of all, which is {total}. Every entry is within one unit of the {digits}th significant digit of the truth, by ball",
        r"arithmetic (missing digits are zeros); a plain 0 is exact. All digits, with their radii, are in \texttt{study.json}.",
    ]
    if law and domain.d > 2:
        text.append(
            rf"The law is taken at $k+{tex_half(domain.dimension - 2)}$ instead of $k$, which is the same to leading order and free of the correction of relative order $1/k$;"
            r" the ratio tends to 1."
        )
    elif law:
        text.append("The ratio to the law tends to 1.")
    text.append(rf"The degrees of this table hold the share ${ball_digits(study.total_share)}$ of the whole.")
    return "\n".join(text)


def tex_half(n: int) -> str:
    return str(n // 2) if n % 2 == 0 else rf"\tfrac{{{n}}}{{2}}"


def ball_digits(value: arb | None) -> str:
    """A few digits of a ball, for reading."""
    return "" if value is None else tex_number(decimal_ball(value, RATIO_DIGITS)[0])


def _table_row(row: Row, digits: int, *, law: bool) -> list[str]:
    value = rounded_text(row.eigenvalue, digits).replace("+/-", r"\pm")
    ratio = [f"${ball_digits(row.to_shifted_law)}$" if row.to_shifted_law is not None else ""] if law else []
    return [str(row.degree), f"${tex_integer(row.multiplicity)}$", f"${tex_number(value)}$", *ratio, f"${ball_digits(row.share)}$"]


def tex_integer(n: int) -> str:
    """An integer with thin spaces, or rounded where it is very long."""
    return f"{n:,}".replace(",", r"\,") if n < 10**15 else tex_number(rounded_integer(n))


def rounded_integer(n: int) -> str:
    """A long integer to six digits."""
    return decimal_ball(arb(fmpz(n)), RATIO_DIGITS)[0]


def _closed_form_text(study: Study) -> list[str]:
    if study.closed_form is None:
        return []
    return ["In closed form", display(rf"\mu_k = {tex(study.closed_form)}")]


def _figure(study: Study, plot: str) -> str:
    power = study.law is not None and study.law.kind == "power"
    shares = "" if isinstance(study.request.domain, Sphere) else ", and their shares of the whole"
    text = f"Certified eigenvalues, even and odd degrees apart{shares}" + (", against the proved law, and their ratios to it (those above the frame are left out)." if power else ".")
    if power and study.bounds is not None:
        text += " Shaded: the bounds proved for every degree, the narrowest that apply."
    if power and study.further:
        text += r" Hollow marks are certified eigenvalues beyond the table."
    return "\n".join([r"\begin{figure}[t]", r"\centering", rf"\includegraphics[width=0.78\textwidth]{{{plot}}}", rf"\caption{{{text}}}", r"\end{figure}"])


def _gram_section(study: Study, checks: tuple[DegreeCheck, ...]) -> str:
    request = study.request
    rows = [
        f"{c.degree} & ${tex_number(f'{c.estimate:.6e}')}$ & ${tex_number(f'{c.standard_error:.2e}')}$ & ${tex_number(decimal_ball(c.certified, 7)[0])}$ & ${c.z_score:+.2f}$ \\\\" for c in checks
    ]
    return "\n".join(
        [
            r"\section{Random points against the certified eigenvalues}",
            rf"The mean of $K(\rho)\,{request.domain.zonal_symbol}(\rho)${_weights_text(study)} over all pairs of {request.points} random points (seed {request.seed}), with its exact standard error;",
            r"$z$ is the distance to the certified eigenvalue in standard errors.",
            r"\begin{center}\begin{tabular}{rrrrr}\toprule",
            r"$k$ & estimate & standard error & certified & $z$ \\ \midrule",
            *rows,
            r"\bottomrule\end{tabular}\end{center}",
        ]
    )


def _weights_text(study: Study) -> str:
    if isinstance(study.request.domain, Gaussian):
        return r"$\,u(x)u(y)$, $u=R/\sqrt{ER}$, $R=(|x|^2/d)^m$,"
    return r", $\varphi_k$ the mean of the characters of degree $k$," if isinstance(study.request.domain, BooleanCube) else ""


def guarantee_section(lines_by_kind: dict[str, list[str]]) -> str:
    """The closing section from the lines by kind: exact, proved, checked, not shown."""
    titles = {"exact": "Exact", "proved": "Proved by ball arithmetic", "checked": "Checked", "not_shown": "Not shown"}
    lines = [r"\section{What is proved and what is checked}"]
    for kind, items in lines_by_kind.items():
        if items:
            lines += [rf"\paragraph{{{titles[kind]}.}}", "; ".join(escape(item) for item in items) + "."]
    made = ", ".join(f"{name} {version}" for name, version in versions().items())
    return "\n".join([*lines, rf"\paragraph{{Made with}} {escape(made)}."])


__all__ = ["MARKER", "PARITIES", "latex", "record", "write"]
