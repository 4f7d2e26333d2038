"""Titles and abstracts read as they should: one line a case, what comes in and what a reader sees."""

import pytest

from newsletter.render.issue.mathtext import readable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"resulting in a 54.6\% speedup", "resulting in a 54.6% speedup"),
        ("a 1.45times reduction", "a 1.45× reduction"),
        ("sim!30 FPS", "∼30 FPS"),
        ("a sim!!25% improvement", "a ∼25% improvement"),
        ("mathcal{O}(T^{-1/3})", "𝒪(T^{-1/3})"),
        ("nabla^2DFT", "∇²DFT"),
        ("360^circ videos", "360° videos"),
        ("Codebook Size 2^{128} for", "Codebook Size 2¹²⁸ for"),
        ("V_{0.5}", "V₀.₅"),
        ("texttt{D}ual-texttt{H}ead", "Dual-Head"),
        (r"(\"Ust\"un et al.)", "(Üstün et al.)"),
        (r"an \textit{RL}-based", "an RL-based"),
        ("2mathord,000 examples", "2,000 examples"),
        ("Inference Scaling scriptsizeFLaws", "Inference Scaling FLaws"),
        ("m gg n", "m ≫ n"),
        (r"$\min \int_{\mathbb{R}^N}f(u,\nabla u)$", "min ∫_{ℝᴺ}f(u,∇u)"),
        (r"Journal de l'\'Ecole", "Journal de l'École"),
    ],
)
def test_the_residue_that_sources_are_known_to_send_becomes_readable(text: str, expected: str) -> None:
    assert readable(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Earn $1 Million from",
        "100% of snake_case files cost ~5 & 50%",
        "Let's <think> about LLM Reasoning",
        '"three times faster", "similar", "a sim racer"',
        "the left (or right) arm, left(right) handed, a left(or right) turn",
        "in, to, max, sum, bar, hat, text, star, prime, partial products in parallel",
        "IneqMath, sim2real, sim-to-real 100%, real-to-sim, text2text, zip2zip, muP, DeltaNet, Omega-3, Psi4",
        "beta testing on Delta Air on pi day with the alpha channel",
        "it ran 2 times faster, 10 times larger, k times a day, at 5 pm",
    ],
)
def test_prose_is_left_alone(text: str) -> None:
    assert readable(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "costs $5 to $10, or $5-$10, US$3 and A$4, $0.05/1K tokens against $0.10/1K tokens",
        "cash $$ and $$$, the $ sign, 10$ each and 20$ more",
        "$HOME:$PATH and ${HOME}/bin and $foo and $bar_baz and $qux",
        '"$use_color" colour opt-in "$use_style"',
        "templates like {question}, {{name}} and the set {-1, 0, 1} of pairs {(patch, ID)}",
        "{MixFrag, a group that never ends",
        "snake_case, a_b, h_max, task_12b, RFC_4122, __init__.py, x_y_z, file_1.txt",
        "see https://example.org/a_b^2/{id}, www.example.org/~me/x_1 and /users/x_1",
        "example.org/data_1/x_2 by me_1@example.org or o_2.x_1@mail.example.org",
        r"C:\Users\me\file_1.txt and \\server\share\x_1 and foo\bar\baz",
        r"the patterns \d+\.\d{3}, \w* and \S, and \n ends a line",
        "`code_x_1` and `a^2`",
        "--flag, i--; <!-- note --> and a | --- | rule",
        "~100M, 12~20%, 1.3x ~ 1.7x, x ~ p(x), z~N(0,1), ~/path/x_1",
        "^_^ and ^^ and x ^ y",
        "5'10'' tall, '' and ``unclosed",
        r"\[citation needed\] and \(unclosed",
    ],
)
def test_prices_names_paths_and_code_are_left_alone(text: str) -> None:
    assert readable(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"$O(n\log n)$ and $\mathcal{O}(\sqrt{T})$", "O(n log n) and 𝒪(√T)"),
        (r"$x\in\mathbb{R}^{n\times d}$, $f:\mathbb{R}^d\to\mathbb R$", "x ∈ ℝ^{n×d}, f:ℝᵈ → ℝ"),
        (r"$256 \times 256$ and $1.13\times$ and $\sim$30", "256 × 256 and 1.13× and ∼30"),
        (r"$\geq 5$, $\sim 5$, $a\leq b$, $a \not= b$, $x \notin S$", "≥5, ∼5, a ≤ b, a ≠ b, x ∉ S"),
        (r"$\{x_1, \dots, x_n\}$", "{x₁, …, xₙ}"),
        (r"$\left(\frac{a}{b}\right)$, $\frac{a+b}{c}$, $\frac12$", "(a/b), (a+b)/c, 1/2"),
        (r"$\frac{d}{dt}x$", "d/dt x"),
        (r"$\left\{x \mid x>0\right.$", "{x | x>0"),
        (r"$\|x\|_2^2$ and $\ell_\infty$", "‖x‖₂² and ℓ_∞"),
        (r"$e^{i\pi}+1=0$, $x_{\text{max}}$, $L_{\text{train}}$", "e^{iπ}+1=0, xₘₐₓ, L_train"),
        (r"$\sum_{i=1}^{n} x_i$ and $\int_0^\infty e^{-x}\,dx$", "∑ᵢ₌₁ⁿ xᵢ and ∫₀^∞ e⁻ˣ dx"),
        (r"$\hat{\theta}_t$, $\bar x$, $\widehat{AB}$, $\tilde{\mathcal{O}}(n)$", "θ̂ₜ, x̄, AB, 𝒪̃(n)"),
        (r"CO$_2$, 30$^\circ$C, $30^{\circ} C$, 1$^{st}$, Equal$^\dagger$", "CO₂, 30°C, 30° C, 1ˢᵗ, Equal†"),
        (r"$\sqrt[3]{x+1}$, $\sqrt[n]{x}$, $\binom{n}{k}$", "∛(x+1), ⁿ√x, (n choose k)"),
        (r"$\underset{x}{\min} f$, $a \overset{def}{=} b$", "minₓ f, a =ᵈᵉᶠ b"),
        (r"$a \bmod b$, $a \pmod{n}$, $-\log p$, $2\log n$", "a mod b, a (mod n), -log p, 2 log n"),
        (r"$\mathcal{A}LICE$, $\mathcal{V}isual$, ${\cal N}=1$", "𝒜LICE, Visual, 𝒩=1"),
        (r"$$E = mc^2$$, \(x^2\) and \[y_1\]", "E = mc², x² and y₁"),
        (r"$k$NN, $n$th, $\tau$-bench, $\lambda$ calculus", "kNN, nth, τ-bench, λ calculus"),
        (r"$a\!b$, $a\;b$, $a\quad b$, $1{,}000$, 5\,ms", "ab, a b, a b, 1,000, 5 ms"),
        (r"\alpha moment, \lambda-calculus, \Omega(n), 5\% \leq 6\%", "α moment, λ-calculus, Ω(n), 5% ≤ 6%"),
        (r"$\begin{cases}1\\0\end{cases}$", "1 0"),
        (r"$\$5 + a\'b$", r"$5 + a\'b"),
        (r"{\Theta}(40K) and {O}(T) and 1{,}000", "Θ(40K) and O(T) and 1,000"),
        (r"$\not{x$ and $x^$ and $\frac$ and $\sqrt{$", "not{x and x^ and frac and sqrt{"),
    ],
)
def test_formulas_of_latex_become_unicode(text: str, expected: str) -> None:
    assert readable(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\emph{a} {\bf b} {\em c} \textbf{\textit{d}} \textsc{E}: \texttt{f\_g}", "a b c d E: f_g"),
        (r"MC\textsuperscript{2} and CO\textsubscript{2}", "MC² and CO₂"),
        (r"Table~2, Fig.~3, et al.~(2020), J.~Doe, 5~GHz", "Table 2, Fig. 3, et al. (2020), J. Doe, 5 GHz"),
        (r"R\&D costs \$5 or \$10, 5\% \# a\_b \{x, y\}", "R&D costs $5 or $10, 5% # a_b {x, y}"),
        (r"roughly \1 and (\2)", "roughly $1 and ($2)"),
        (r"as in \cite{doe2020} and~\citep[p.~3]{a,b}", "as in [doe2020] and [a,b]"),
        (
            r"Transformers (\eg BERT), \ie this, \etal. and \etc.",
            "Transformers (e.g. BERT), i.e. this, et al. and etc.",
        ),
        (r"we propose \ours, and \name\ wins; \benchname{} too", "we propose ours, and name wins; benchname too"),
        (r"the \textcolor{red}{red} one\footnote{see it}, \color{blue}not", "the red one (see it), not"),
        (r"\begin{itemize} \item one \end{itemize}", " • one "),
        (r"line one \\ line two, e.g.\ here, al\-go", "line one   line two, e.g. here, algo"),
        (r"{GPT}s, a {B}ayesian na{i}ve, \LaTeX{}, \uline{x}", "GPTs, a Bayesian naive, LaTeX, x"),
        (r"\unicode{x2013} and sets (A)x2014the rest", "– and sets (A)—the rest"),
    ],
)
def test_commands_of_text_leave_their_text(text: str, expected: str) -> None:
    assert readable(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            r"Schr\"odinger, Erd\H{o}s, Poincar\'e, Fran\c{c}ois, \v{S}koda",
            "Schrödinger, Erdős, Poincaré, François, Škoda",
        ),
        (
            r"\AA ngstr\"om, \O{}rsted, Gau\ss, M\o ller, Polyak-\L ojasiewicz",
            "Ångström, Ørsted, Gauß, Møller, Polyak-Łojasiewicz",
        ),
        (
            r"na\"{\i}ve, Nystr\"{o}m, Dvo\v r\'ak, {\'E}mile, \~n, \`a, \^o, \.{z}",
            "naïve, Nyström, Dvořák, Émile, ñ, à, ô, ż",
        ),
        (
            r"he said \"Hello\" and don\'t, it\'s, we\'re; O\'Brien",
            "he said \"Hello\" and don't, it's, we're; O'Brien",
        ),
        (r"\~{} and \^{} and example\.com and \'{q}", r"~ and ^ and example\.com and q́"),
    ],
)
def test_accents_meet_their_letters_and_escapes_are_no_accents(text: str, expected: str) -> None:
    assert readable(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "8timesA800, 10times-20times, 256 times 256, 2times2, n times n",
            "8×A800, 10×-20×, 256 × 256, 2×2, n × n",
        ),
        ("(360^circtimes180^circ)", "(360°×180°)"),
        (
            "sim700, sim543K, sim5% of it, sim 10^3, sim!! 3 %, sim 3times",
            "∼700, ∼543K, ∼5% of it, ∼10³, ∼3 %, ∼3×",
        ),
        ("C_{Phi circ Psi}, C_{Phicirc Psi} > C_Psi", "C_{Φ ∘ Ψ}, C_{Φ ∘ Ψ} > C_Ψ"),
        ("I_{D, h_star}^{CoT}(epsilon; calH)", "I_{D, h_⋆}^{CoT}(epsilon; ℋ)"),
        ("For deltageq 1, kleq 5 and geq5", "For δ ≥ 1, k ≤ 5 and ≥5"),
        ("widetilde Theta(d^{kq}), widetildeTheta(d^4), tilde O(n), tilde{O}(n)", "Θ̃(d^{kq}), Θ̃(d⁴), Õ(n), Õ(n)"),
        ("O(s^{delta}varepsilon) for 0<delta<1 and beta=0.9", "O(sᵟε) for 0<δ<1 and β=0.9"),
        ("Oleft( m V{varepsilon^2} log 1{delta} right)", "O(m V/ε² log 1/δ)"),
        ("h = g circ p where p : R^d rightarrow R", "h = g ∘ p where p : Rᵈ → R"),
        ("(state times action rightarrow state)", "(state × action → state)"),
        ("x in mathbb{R}^{ntimes d}, mathbb{E}_{x sim p}", "x ∈ ℝ^{n × d}, 𝔼_{x ∼ p}"),
        (
            "pi_0-FAST, tau^2-bench, nu^1, p_theta(x), pi_theta, L_infty, ell_2",
            "π₀-FAST, τ²-bench, ν¹, p_θ(x), π_θ, L_∞, ℓ₂",
        ),
        (
            "un^2CLIP, M^3Fin, MATH^2, pass^4. R^{2}ec, L^*, A^top, n^th",
            "un²CLIP, M³Fin, MATH², pass⁴. R²ec, L*, Aᵀ, nᵗʰ",
        ),
        (
            "X_2YH_6, MgB_2, LaH_{10}, x_t, L_2, log_2, G_{stack}, mAP_{50:95}",
            "X₂YH₆, MgB₂, LaH₁₀, xₜ, L₂, log₂, G_stack, mAP_{50:95}",
        ),
        ("score downarrow 41\\% \\& uparrow 5\\%, CUDA leftrightarrow HIP", "score ↓41% & ↑5%, CUDA ↔ HIP"),
        ("a margin of Delta4.1%, Omega(n), 0.95 pm 0.02, approx5", "a margin of Δ4.1%, Ω(n), 0.95 ± 0.02, ≈5"),
        ("langle x, y rangle, lfloor n/2 rfloor, |cdot|", "⟨x, y⟩, ⌊n/2⌋, |·|"),
        ("sum_{i=1}^n x_i, sqrt{n}, frac{1}{N}, mathcal X, bar{alpha}_t", "∑ᵢ₌₁ⁿ xᵢ, √n, 1/N, 𝒳, ᾱₜ"),
        ("Fooxspace and learned by HMMs (ICL)x2013their ability", "Foo and learned by HMMs (ICL)–their ability"),
    ],
)
def test_formulas_without_backslashes_become_unicode(text: str, expected: str) -> None:
    assert readable(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at https://a.example.org/x/{https://a.example.org/x/}.", "at https://a.example.org/x/."),
        ("on https://a.example.org/x{blue{the hub}}, with", "on https://a.example.org/x (the hub), with"),
        ("url{https://a.example.org/x}, textit{O}bstacle", "https://a.example.org/x, Obstacle"),
        (r"at https://a.example.org/x\_y.", "at https://a.example.org/x_y."),
        (r"\href{https://a.example.org/x_1}{the page}", "the page (https://a.example.org/x_1)"),
        (r"\href{https://a.example.org}{https://a.example.org/}", "https://a.example.org"),
        (r"\url{https://a.example.org/x\_1}", "https://a.example.org/x_1"),
    ],
)
def test_links_keep_their_address_and_their_label(text: str, expected: str) -> None:
    assert readable(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("``safe'' or ``unsafe''", "“safe” or “unsafe”"),
        ('a ``mixed" pair', "a “mixed” pair"),
        ("a ''complexity wall,'' they don't say", "a “complexity wall,” they don't say"),
        ("the `right' word, isn't it", "the ‘right’ word, isn't it"),
        (r"``a \emph{b} $c^2$''", "“a b c²”"),
        (
            "62--73\\%, Kullback--Leibler, a title -- a subtitle, GPUs---among them",
            "62–73%, Kullback–Leibler, a title – a subtitle, GPUs—among them",
        ),
    ],
)
def test_quotation_marks_and_dashes_are_set_where_they_are_unmistakable(text: str, expected: str) -> None:
    assert readable(text) == expected


@pytest.mark.parametrize(
    "text",
    [r"\gemini", r"\today", r"\id", r"\between", r"\image", "$\\name$"],
)
def test_a_command_of_the_authors_own_is_its_name(text: str) -> None:
    assert readable(text) == text.strip("\\$")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\(x_1\) and \[y^2\]", "x₁ and y²"),
        (r"of \(x \\(y)\)", "of x (y)"),
        (r"\(a and \(x_1\)", r"\(a and x₁"),
        (r"\(x_1\] and \(x_2\)", r"\(x₁\] and x₂"),
        (r"open \( for ever", r"open \( for ever"),
        (r"an escaped \(bracket\), \[too\]", r"an escaped bracket, too"),
    ],
)
def test_formulas_in_escaped_brackets_end_at_their_own_bracket(text: str, expected: str) -> None:
    assert readable(text) == expected
