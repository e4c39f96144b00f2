//! Pages of HTML that need nothing but themselves: text, tables, figures, light and dark.

use super::error::ReportError;
pub use super::figure::escape;
use super::figure::{Animation, Figure, animate, draw_themed, theme_css};

/// Moves the animations of a page: a button, a slider, the keys left, right, space, home and end.
pub const ANIMATION_SCRIPT: &str = "\
for (const one of document.querySelectorAll('.animation')) {
  const frames = [...one.querySelectorAll('.frame')];
  const [button, slider, output] = ['button', 'input', 'output'].map(name => one.querySelector(name));
  let at = frames.length - 1, timer = 0;
  const show = next => {
    frames[at].hidden = true;
    at = Math.min(Math.max(next, 0), frames.length - 1);
    frames[at].hidden = false;
    slider.value = at;
    output.textContent = `${at + 1} / ${frames.length}`;
  };
  const stop = () => { clearInterval(timer); timer = 0; button.textContent = 'Play'; };
  const play = () => {
    if (at === frames.length - 1) show(0);
    button.textContent = 'Pause';
    timer = setInterval(() => at < frames.length - 1 ? show(at + 1) : stop(), one.dataset.milliseconds);
  };
  const keys = { ArrowLeft: () => show(at - 1), ArrowRight: () => show(at + 1),
    Home: () => show(0), End: () => show(frames.length - 1) };
  button.onclick = () => timer ? stop() : play();
  slider.oninput = () => { stop(); show(+slider.value); };
  one.onkeydown = event => {
    if (event.key === ' ' && event.target !== button) { event.preventDefault(); button.click(); }
    if (keys[event.key]) { event.preventDefault(); stop(); keys[event.key](); }
  };
  one.querySelector('.controls').hidden = false;
}
";

const STYLE: &str = "\
body{font:17px/1.55 Ubuntu,'Noto Sans',system-ui,sans-serif;color:var(--ink);background:var(--figure);
max-width:60rem;margin:0 auto;padding:1rem 1rem 4rem}
h1,h2,h3{line-height:1.25;font-weight:600}
h2{margin-top:3.5rem;padding-top:1rem;border-top:1px solid var(--grid)}
a{color:var(--s0)}
figure{margin:1.5rem 0}figcaption{color:var(--neutral)}
figure>svg,.frame>svg{display:block;width:100%;height:auto}
.parts{position:absolute}
.controls{display:flex;gap:1rem;align-items:center}.controls[hidden]{display:none}
.controls input{flex:1}
.controls button{font:inherit;min-width:5rem}
pre{overflow-x:auto;margin:.8rem 0 .8rem 1.5rem;font:1.02em/1.5 Ubuntu,'Noto Sans Math','DejaVu Sans',serif}
.wide{overflow-x:auto}
table{border-collapse:collapse;margin:.8rem 0}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{padding:.25rem .9rem .25rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--grid)}
td.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.ok{color:var(--s2)}.failed{color:var(--s1);font-weight:600}
.small{color:var(--neutral);font-size:.9em}
code{font-size:.92em}
@media print{h2{break-before:page}.controls{display:none}}
";

/// A whole page; `body` is HTML. The script is there only where the page has an animation.
pub fn page(title: &str, body: &str) -> String {
    let moves = body.contains("class=\"animation\"");
    let script =
        if moves { format!("<script>\n{ANIMATION_SCRIPT}</script>\n") } else { String::new() };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>{}</title>\n\
         <style>\n{}{STYLE}</style>\n</head>\n<body>\n{body}{script}</body>\n</html>\n",
        escape(title),
        theme_css()
    )
}

/// Paragraphs, apart by an empty line in `text`; lines that begin with four spaces are formulas.
pub fn prose(text: &str) -> String {
    let mut html = String::new();
    let mut paragraph: Vec<&str> = vec![];
    let mut formula: Vec<&str> = vec![];
    // One line more than there are ends what is open.
    for line in text.lines().chain([""]) {
        let in_formula = line.strip_prefix("    ");
        if in_formula.is_none() && !formula.is_empty() {
            html += &format!("<pre>{}</pre>\n", escape(&formula.join("\n")));
            formula.clear();
        }
        if (in_formula.is_some() || line.trim().is_empty()) && !paragraph.is_empty() {
            html += &format!("<p>{}</p>\n", escape(&paragraph.join(" ")));
            paragraph.clear();
        }
        match in_formula {
            Some(line) => formula.push(line.trim_end()),
            None if line.trim().is_empty() => {}
            None => paragraph.push(line.trim()),
        }
    }
    html
}

/// A table under its title; numbers are aligned right.
pub fn table(title: &str, header: &[String], rows: &[Vec<String>]) -> String {
    let numeric: Vec<bool> = (0..header.len())
        .map(|column| {
            let cells =
                || rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty());
            cells().next().is_some() && cells().all(|cell| is_number(cell))
        })
        .collect();
    let mut html =
        format!("<div class=\"wide\"><table>\n<caption>{}</caption>\n<tr>", escape(title));
    for name in header {
        html += &format!("<th scope=\"col\">{}</th>", escape(name));
    }
    html += "</tr>\n";
    for row in rows {
        html += "<tr>";
        for (column, cell) in row.iter().enumerate() {
            let class = if numeric.get(column) == Some(&true) { " class=\"number\"" } else { "" };
            html += &format!("<td{class}>{}</td>", escape(cell));
        }
        html += "</tr>\n";
    }
    html + "</table></div>\n"
}

fn is_number(cell: &str) -> bool {
    let digits = cell.trim_start_matches(['-', '+', '\u{2212}']);
    digits.starts_with(|first: char| first.is_ascii_digit())
        || matches!(cell, "NaN" | "inf" | "-inf")
}

/// A list, with links where the items have addresses; an empty one is left out.
pub fn list(items: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let items: String =
        items.into_iter().map(|item| format!("<li>{}</li>\n", linked(item.as_ref()))).collect();
    if items.is_empty() { items } else { format!("<ul>\n{items}</ul>\n") }
}

fn linked(text: &str) -> String {
    let word = |word: &str| {
        let address = word.trim_end_matches(['.', ',', ';', ')']);
        let rest = &word[address.len()..];
        let (address, rest) = (escape(address), escape(rest));
        if address.starts_with("https://") {
            format!("<a href=\"{address}\">{address}</a>{rest}")
        } else {
            address + &rest
        }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// A figure with its caption.
pub fn figure(figure: &Figure) -> Result<String, ReportError> {
    let svg = draw_themed(figure)?;
    let caption = escape(&figure.caption);
    Ok(format!("<figure>\n{svg}<figcaption>{caption}</figcaption>\n</figure>\n"))
}

/// An animation with its caption; `prefix` is as for [`animate`].
pub fn animation(animation: &Animation, prefix: &str) -> Result<String, ReportError> {
    let frames = animate(animation, prefix)?;
    let caption = escape(&animation.caption);
    Ok(format!("<figure>\n{frames}<figcaption>{caption}</figcaption>\n</figure>\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_stand_apart_from_paragraphs_and_all_text_is_escaped() {
        let html =
            prose("A step <goes>\nagainst it:\n\n    x ← x − η f′(x)\n      & so on\nAnd on.\n\n");
        assert_eq!(
            html,
            "<p>A step &lt;goes&gt; against it:</p>\n<pre>x ← x − η f′(x)\n  &amp; so on</pre>\n<p>And on.</p>\n"
        );
        assert_eq!(prose(""), "");
    }

    #[test]
    fn tables_escape_their_cells_and_align_numbers() {
        let rows =
            [vec!["<a>".to_owned(), "1e-3".to_owned()], vec!["b".to_owned(), "−2".to_owned()]];
        let html = table("T & U", &["name".to_owned(), "value".to_owned()], &rows);
        assert!(html.contains("<td>&lt;a&gt;</td><td class=\"number\">1e-3</td>"), "{html}");
        assert!(html.contains("T &amp; U") && html.contains("<td class=\"number\">−2</td>"));
    }

    #[test]
    fn addresses_in_lists_are_links() {
        assert_eq!(
            list(["See https://doi.org/10.1/a&b, 2004"]),
            "<ul>\n<li>See <a href=\"https://doi.org/10.1/a&amp;b\">https://doi.org/10.1/a&amp;b</a>, 2004</li>\n</ul>\n"
        );
        assert_eq!(list(Vec::<String>::new()), "");
    }

    #[test]
    fn a_page_has_a_script_only_for_animations() {
        assert!(!page("a < b", "<p>x</p>").contains("<script"));
        assert!(page("a < b", "<p>x</p>").contains("<title>a &lt; b</title>"));
        assert!(page("", "<div class=\"animation\"></div>").contains("<script"));
    }
}
