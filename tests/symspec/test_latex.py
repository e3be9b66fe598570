from __future__ import annotations

import shutil
import subprocess

import pytest
import sympy

from symspec.activations import activation, erf, relu, sign
from symspec.latex import closed_form, display, document, escape, kernel_latex, network_latex, parametrisation_text, tex, written_size
from symspec.network import mlp
from symspec.program import tree_size


def test_short_kernels_are_written_in_closed_form():
    text = mlp(relu, 1).ck.latex()
    assert r"\arccos" in text
    assert "aligned" not in text
    assert closed_form(mlp(relu, 1).ck) is not None


def test_deep_kernels_are_written_line_by_line():
    kernel = mlp(relu, 12).ntk
    assert closed_form(kernel) is None
    text = kernel_latex(kernel)
    for line in kernel.program.lines:
        assert f"{tex(line.symbol)} &=" in text
    assert r"K(\rho) &= t_{12}" in text
    assert r"\theta_{0} &= \arccos \rho" in text


def test_the_written_size_is_the_size_of_what_would_be_written():
    program = mlp(activation("exp(x)"), 2).ck.program
    nested = program.output
    for line in reversed(program.lines):
        nested = nested.xreplace({line.symbol: line.expr})
    assert written_size(program) == tree_size(nested)
    assert written_size(mlp(relu, 64).ntk.program) > 2**64


def test_indicators_and_deltas():
    assert tex(relu.form.as_expr()) == r"x \mathbf{1}_{x > 0}"
    assert r"\mathbf{1}_{x > -1}" in tex(activation("step(x+1)").form.as_expr())
    assert r"\delta" in tex(sign.form.derivative().as_expr())


def test_the_network_states_its_parametrisation():
    plain, scaled = mlp(relu, 2), mlp(relu, 2, sigma_w2=2, sigma_b2="0.1")
    assert "Normalised" in parametrisation_text(plain)
    assert "NTK parametrisation" in parametrisation_text(scaled)
    assert r"\frac{1}{10}" in network_latex(scaled)
    assert r"\widehat{\sigma}(1) &= \frac{1}{2}" in network_latex(plain)


def test_escape():
    assert escape("a_b & 50% {x}^2 \\ ~#$") == r"a\_b \& 50\% \{x\}\textasciicircum{}2 \textbackslash{} \textasciitilde{}\#\$"


def test_notebook_representations_are_mathematics():
    assert relu._repr_latex_().startswith("$")
    assert mlp(relu, 1).ck._repr_latex_().startswith("$")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_a_document_compiles(tmp_path):
    body = []
    for net in (mlp(relu, 3), mlp(erf, 2, sigma_w2=1, sigma_b2="0.1"), mlp("Max(x,0) - Max(x-1,0)", 1), mlp(sign, 1)):
        body += [rf"\section{{{escape(str(net))}}}", parametrisation_text(net), display(net.latex()), display(net.ck.latex()), display(net.ntk.latex())]
    (tmp_path / "sample.tex").write_text(document(escape("100 % of R_1"), "\n\n".join(body)))
    done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "sample.tex"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "sample.pdf").stat().st_size > 10_000


def test_tex_of_an_exact_number():
    assert tex(sympy.Rational(1, 3)) == r"\frac{1}{3}"
