r"""What the study of a convolutional network writes: ``study.json`` with every number as exact text, and ``study.tex``.

>>> import symspec as ss
>>> from .image_study import ImageRequest, conduct
>>> net = ss.cnn(ss.relu, 1, 2, 2)
>>> study = conduct(ImageRequest(net, net.ck, ss.MultiSphere(3, 2), ((0, 0), (2, 1)), digits=10, points=0))
>>> [entry["closed_form"] for entry in record(study)["eigenvalues"]], record(study)["law"]["rays"][1]["exponent"]
([None, '0'], 7)
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from flint import arb

from numerics.exact_text import ball_record, decimal_ball, rounded_text
from symspec.command_line import to_json
from symspec.image_text import field_of
from symspec.latex import display, document, escape, tex

from .image_study import ImageRow, ImageStudy, Ray, guarantees, index_text
from .study_report import MARKER, PRINTED_DIGITS, RATIO_DIGITS, SPARE_DIGITS, ball_digits, guarantee_section, tex_integer, tex_number, versions

if TYPE_CHECKING:
    from .image_statistics import ImageCheck

SHOWN_PIXELS = 64


def record(study: ImageStudy) -> dict[str, Any]:
    """The study as JSON-ready data without a float."""
    request, network = study.request, study.request.network
    digits = request.digits + SPARE_DIGITS
    return {
        "format": "symspec image study 1",
        "inputs": {
            "activation": str(network.activation.form),
            "name": network.activation.name or None,
            "network": str(network),
            "parametrisation": network.parameters or "normalised",
            "kernel": request.kernel.name,
            "domain": str(request.domain),
            "degrees": [list(index) for index in request.degrees],
            "digits": request.digits,
            "points": request.points,
            "seed": request.seed,
        },
        "versions": versions(),
        "kernel": {"latex": request.kernel.latex(), "receptive_field": field_of(network, request.kernel)},
        "law": _law_record(study),
        "bounds": _bounds_record(study),
        "eigenvalues": [_row_record(row, digits) for row in study.rows],
        "sum_of_shares": None if study.total_share is None else ball_record(study.total_share, digits),
        "gram_check": {"none": study.gram_note} if study.gram is None else {"degrees": [_gram_record(check) for check in study.gram]},
        "guarantees": guarantees(study),
    }


def _law_record(study: ImageStudy) -> dict[str, Any]:
    if study.law is None:
        return {"none": study.law_note}
    strata = [{"pixels": sorted(field), "exponent": exponent} for field, exponent in study.law.strata.items()]
    rays = [{"pixels": list(ray.support), "exponent": ray.exponent, "checked": ray.checked, "eigenvalues": [_row_record(row, 10) for row in ray.rows]} for ray in study.rays]
    return {"summary": study.law.summary(), "strata": strata, "rays": rays, "latex": study.law.statement()}


def _bounds_record(study: ImageStudy) -> dict[str, Any]:
    if study.bounds is None:
        return {"none": study.bounds_note}
    found = study.bounds
    return {
        "statement": found.statement(),
        "top": found.top,
        "lower_exponent": str(found.lower_exponent),
        "upper_exponent": str(found.upper_exponent),
        "lower": ball_record(found.lower, 10),
        "upper": ball_record(found.upper, 10),
        "counterexample": None if found.counterexample is None else list(found.counterexample),
    }


def _row_record(row: ImageRow, digits: int) -> dict[str, Any]:
    def optional(value: arb | None) -> Any:
        return None if value is None else ball_record(value, digits)

    return {
        "degree": list(row.degree),
        "multiplicity": str(row.multiplicity),
        "eigenvalue": ball_record(row.eigenvalue, digits),
        "closed_form": None if row.closed_form is None else str(row.closed_form),
        "ratio_to_law": optional(row.to_law),
        "share": optional(row.share),
    }


def _gram_record(check: ImageCheck) -> dict[str, Any]:
    floats = {name: repr(getattr(check, name)) for name in ("estimate", "standard_error", "z_score")}
    return {"degree": list(check.degree), **floats, "exact_error": check.exact_error, "certified": ball_record(check.certified, 20)}


def write(study: ImageStudy, folder: Path, *, plot: str | None) -> None:
    """Write study.json and study.tex; ``plot`` is the name of the figure's file, or None."""
    (folder / MARKER).write_text(to_json(record(study)) + "\n", encoding="utf-8")
    (folder / "study.tex").write_text(latex(study, plot=plot), encoding="utf-8")


def latex(study: ImageStudy, *, plot: str | None) -> str:
    """The document."""
    request = study.request
    sections = [_network_section(study), _law_section(study)]
    if plot is not None:
        sections.append(_figure(study, plot))
    sections.append(_table_section(study))
    if study.rays:
        sections.append(_rays_section(study))
    if study.bounds is not None:
        sections.append(_bounds_section(study))
    if study.gram is not None:
        sections.append(_gram_section(study, study.gram))
    sections.append(guarantee_section(guarantees(study)))
    return document(rf"Spectrum of the {escape(request.kernel.name)} on {request.domain.latex_name}", "\n\n".join(sections))


def _network_section(study: ImageStudy) -> str:
    request = study.request
    parts = [
        r"\section{The network and its kernel}",
        request.network.conventions(),
        display(request.network.latex()),
        rf"The kernel studied is the {escape(request.kernel.name)}, as a function of ${request.domain.correlation}$:",
        display(request.kernel.latex()),
        _field_text(study),
    ]
    return "\n".join(parts)


def _field_text(study: ImageStudy) -> str:
    request, field = study.request, study.field
    seen = request.kernel.receptive_field
    listed = ", ".join(map(str, seen[:SHOWN_PIXELS])) + (r", \dots" if len(seen) > SHOWN_PIXELS else "")
    text = rf"\paragraph{{Receptive field.}} The kernel reads {len(seen)} of {request.kernel.pixels} pixels, counted from 0: {listed}."
    if field is None or len(seen) > SHOWN_PIXELS // 4:
        return text
    paths = ", ".join(str(field.paths[pixel]) for pixel in seen)
    values = [field.gradient[pixel] for pixel in seen]
    exact = all(value.is_Rational for value in values)
    shares = ", ".join(tex(value) if exact else str(value.evalf(RATIO_DIGITS)) for value in values)
    return text + rf" From them ${paths}$ paths lead to the output, and for the conjugate kernel $\partial K/\partial t_i{'=' if exact else chr(92) + 'approx '}{shares}$ at $t=1$."


def _law_section(study: ImageStudy) -> str:
    if study.law is None:
        return r"\section{Decay}" + f"\nNo law along rays was derived: {escape(study.law_note)}."
    return "\n".join(
        [
            r"\section{The decay along rays}",
            study.law.statement(),
            r"\paragraph{Derivation.} A unit of the network is singular where all pixels of its field are equal in both images. There its correlation is $1-\sum_ig_i(1-t_i)$ to first",
            r"order, and the first singular term $c\,(1-\rho)^\nu$ of its dual is a cone over the field, whose Fourier transform is a power of $\sum_i\hat k_i^2/g_i$ with the exponent",
            rf"$-(|R|(C-1)+2\nu)/2$, $|R|$ the number of its pixels and $C={study.law.channels}$. The derivative of $K$ by the value of the unit, with the other pixels free, and its mean over them",
            r"give the factor. Several units decide together where the union of their fields holds the frequencies at least cost: their orders add up, and pixels that they share count once.",
            r"The remainder is not bounded here; the ratios in the tables show how far the law has come.",
        ]
    )


def _figure(study: ImageStudy, plot: str) -> str:
    text = "Certified eigenvalues along rays of multi-indices, against the law." if study.rays else "Certified eigenvalues by total degree."
    field = " Right: what the output sees of each pixel." if study.field is not None and study.request.kernel.pixels > 1 else ""
    return "\n".join([r"\begin{figure}[t]", r"\centering", rf"\includegraphics[width=0.95\textwidth]{{{plot}}}", rf"\caption{{{text}{field}}}", r"\end{figure}"])


def _table_section(study: ImageStudy) -> str:
    request, domain = study.request, study.request.domain
    digits = min(request.digits, PRINTED_DIGITS)
    law, shares = any(row.to_law is not None for row in study.rows), study.total_share is not None
    count = r"\#" if not shares else domain.multiplicity_symbol
    head = [r"$k$", rf"${count}$", r"$\lambda_k$", *([r"$\lambda_k/\mathrm{law}$"] if law else []), *(["share"] if shares else [])]
    text = [
        r"\section{Certified eigenvalues}",
        rf"Normalisation: {domain.measure}; $\lambda_k$ is the eigenvalue of {domain.eigenfunction},",
        rf"of which there are ${domain.multiplicity_symbol}$"
        + (r"; the share is that number times $\lambda_k$ over $K(x,x)$." if shares else ", summed over the shifts of the image: the number of these sums over all shifts of $k$ is given."),
        rf"Every entry is within one unit of the {digits}th significant digit of the truth, by ball arithmetic (missing digits are zeros); a plain 0 is exact. All digits, with their radii, are in",
        r"\texttt{study.json}.",
        *([rf"The multi-indices of this table hold the share ${ball_digits(study.total_share)}$ of the whole."] if shares else []),
    ]
    return "\n".join([*text, _table(head, [_cells(row, digits, law=law, shares=shares) for row in study.rows])])


def _cells(row: ImageRow, digits: int, *, law: bool, shares: bool) -> list[str]:
    value = f"${tex_number(rounded_text(row.eigenvalue, digits)).replace('+/-', chr(92) + 'pm')}$"
    if row.closed_form is not None and row.closed_form != 0:
        value += rf" $={tex(row.closed_form)}$"
    ratio = [f"${ball_digits(row.to_law)}$" if row.to_law is not None else ""] if law else []
    return [f"$({index_text(row.degree)})$", f"${tex_integer(row.multiplicity)}$", value, *ratio, *([f"${ball_digits(row.share)}$"] if shares else [])]


def _table(head: list[str], rows: list[list[str]]) -> str:
    columns = "rrl" + "r" * (len(head) - 3)
    lines = [r"\begingroup\small", r"\setlength{\tabcolsep}{5pt}", rf"\begin{{longtable}}{{{columns}}}", r"\toprule", " & ".join(head) + r" \\", r"\midrule", r"\endhead", r"\bottomrule", r"\endfoot"]
    return "\n".join([*lines, *(" & ".join(row) + r" \\" for row in rows), r"\end{longtable}", r"\endgroup"])


def _rays_section(study: ImageStudy) -> str:
    parts = [r"\section{Along rays}"]
    for ray in study.rays:
        law = any(row.to_law is not None for row in ray.rows)
        head = [r"$k$", "number", r"$\lambda_k$", *([r"$\lambda_k/\mathrm{law}$"] if law else [])]
        parts += [_ray_text(ray), _table(head, [_cells(row, 6, law=law, shares=False) for row in ray.rows])]
    return "\n".join(parts)


def _ray_text(ray: Ray) -> str:
    pixels = ", ".join(map(str, ray.support))
    if ray.exponent is None:
        return rf"\paragraph{{Frequencies in the pixels {pixels}.}} There is no power law."
    standing = "derived, with its constant" + ("" if ray.checked else "; no such law was compared with eigenvalues")
    return rf"\paragraph{{Frequencies in the pixels {pixels}.}} The exponent is {ray.exponent} ({standing})."


def _bounds_section(study: ImageStudy) -> str:
    assert study.bounds is not None
    found = study.bounds

    def bound(value: arb, exponent: Any) -> str:
        return rf"{tex_number(decimal_ball(value, 4)[0])}\prod_{{k_i>0}}k_i^{{-{tex(exponent)}}}"

    low = rf"{bound(found.lower, found.lower_exponent)}\le " if found.counterexample is None else ""
    parts = [
        r"\section{Bounds by products}",
        rf"For all multi-indices with $0\le k_i\le{found.top}$ on the receptive field, with constants that are certified and rounded here,",
        rf"\[ {low}\lambda_k\le {bound(found.upper, found.upper_exponent)}. \]",
    ]
    if found.counterexample is not None:
        parts.append(rf"There is no lower bound of this kind: $\lambda_k=0$ exactly at $k=({index_text(found.counterexample)})$.")
    return "\n".join(parts)


def _gram_cells(check: ImageCheck) -> list[str]:
    numbers = (f"{check.estimate:.6e}", f"{check.standard_error:.2e}", decimal_ball(check.certified, 7)[0])
    return [f"$({index_text(check.degree)})$", *(f"${tex_number(text)}$" for text in numbers), f"${check.z_score:+.2f}$"]


def _gram_section(study: ImageStudy, checks: tuple[ImageCheck, ...]) -> str:
    request = study.request
    rows = [" & ".join(_gram_cells(check)) + r" \\" for check in checks]
    exact = checks[0].exact_error
    how = f"all pairs of {request.points} random images (seed {request.seed}), with its exact standard error" if exact else (
        f"{request.points // 2} disjoint pairs of random images (seed {request.seed}), with its sample standard error"
    )
    return "\n".join(
        [
            r"\section{Random images against the certified eigenvalues}",
            rf"The mean of $K\,{request.domain.zonal_symbol}${'' if exact else ' (summed over shifts)'} over {how};",
            r"$z$ is the distance to the certified eigenvalue in standard errors.",
            r"\begin{center}\begin{tabular}{rrrrr}\toprule",
            r"$k$ & estimate & standard error & certified & $z$ \\ \midrule",
            *rows,
            r"\bottomrule\end{tabular}\end{center}",
        ]
    )


__all__ = ["latex", "record", "write"]
