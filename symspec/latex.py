def kernel_latex(k): return ""
def network_latex(n): return ""
