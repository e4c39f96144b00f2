//! The page that everything stands on: one file, light and dark, that asks for nothing from elsewhere.
//!
//! Text of runs is escaped where it is written ([`escape`], [`marked`]). Should that ever fail, the
//! page's policy lets no script run but the two it has itself, told by their checksums, and loads
//! nothing.

mod plotly_script;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use converge_figures::figure::switched_theme_css;
pub(crate) use converge_figures::html::escape;
use converge_figures::numbers::significant;
pub use plotly_script::source as chart_library;
use sha2::{Digest as _, Sha256};

use crate::chart::Chart;
use crate::error::ReportError;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A page that grows.
#[derive(Debug, Default)]
pub(crate) struct Page {
    title: String,
    body: String,
    charts: Vec<Chart>,
}

impl Page {
    pub(crate) fn new(title: &str) -> Self {
        Self { title: title.to_owned(), ..Self::default() }
    }

    /// Adds HTML.
    pub(crate) fn add(&mut self, html: &str) {
        self.body += html;
    }

    /// Begins a section.
    pub(crate) fn section(&mut self, title: &str) {
        self.body += &format!("<h2>{}</h2>\n", escape(title));
    }

    /// Adds charts beside each other, where there is room.
    pub(crate) fn charts(&mut self, charts: impl IntoIterator<Item = Chart>) {
        let first = self.charts.len();
        self.charts.extend(charts);
        let figures: String = self.charts[first..]
            .iter()
            .enumerate()
            .map(|(index, chart)| figure(first + index, chart))
            .collect();
        if !figures.is_empty() {
            self.body += &format!("<div class=\"charts\">\n{figures}</div>\n");
        }
    }

    /// The whole page.
    pub(crate) fn html(self) -> Result<String, ReportError> {
        let library = plotly_script::source()?;
        let charts = serde_json::to_string(&self.charts)
            .map_err(|error| ReportError::write("the charts", &error))?;
        let policy = format!(
            "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; \
             script-src {} {}",
            checksum(library),
            checksum(SCRIPT)
        );
        Ok(format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
             <title>{}</title>\n<style>\n{}{STYLE}</style>\n</head>\n<body>\n\
             <div class=\"controls\"><label class=\"smoothing\">smoothing <input id=\"smoothing\" \
             type=\"range\" min=\"0\" max=\"0.99\" step=\"0.01\" value=\"0.6\"> \
             <output id=\"smoothed\">0.6</output></label> <label>colours <select id=\"theme\">\
             <option value=\"\">of the system</option><option value=\"light\">light</option>\
             <option value=\"dark\">dark</option></select></label></div>\n<main>\n{}</main>\n\
             <noscript><p>The charts need JavaScript.</p></noscript>\n\
             <script type=\"application/json\" id=\"charts\">{}</script>\n\
             <script>{library}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
            escape(&self.title),
            switched_theme_css(),
            self.body,
            in_script(&charts),
        ))
    }
}

/// The frame of a chart.
fn figure(index: usize, chart: &Chart) -> String {
    let switch = |axis: &str, log: Option<bool>| {
        let checked = if log == Some(true) { " checked" } else { "" };
        log.map_or_else(String::new, |_| {
            format!(
                "<label><input type=\"checkbox\" data-log=\"{axis}\"{checked}>log {axis}</label>"
            )
        })
    };
    format!(
        "<figure data-chart=\"{index}\"><div class=\"head\"><h3>{}</h3><span class=\"switches\">{}{}\
         </span></div><div class=\"plot\" style=\"height:{}px\"></div><figcaption>{}</figcaption>\
         </figure>\n",
        escape(&chart.title),
        switch("x", chart.log_x),
        switch("y", chart.log_y),
        chart.height,
        marked(&chart.caption)
    )
}

/// JSON as it can stand in a script: nothing in it ends the script or begins a comment.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// A source of a content security policy: a script by its checksum.
fn checksum(script: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(Sha256::digest(script.as_bytes())))
}

/// Text in which what stands between backticks is code.
pub(crate) fn marked(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let paired = parts.len() % 2 == 1;
    let part = |(index, part): (usize, &&str)| match index % 2 {
        1 if paired => format!("<code>{}</code>", escape(part)),
        1 => format!("`{}", escape(part)),
        _ if index > 0 && !paired => format!("`{}", escape(part)),
        _ => escape(part),
    };
    parts.iter().enumerate().map(part).collect()
}

/// A list of sentences; none of none.
pub(crate) fn sentences<T: AsRef<str>>(all: impl IntoIterator<Item = T>) -> String {
    let items: String =
        all.into_iter().map(|one| format!("<li>{}</li>\n", marked(one.as_ref()))).collect();
    if items.is_empty() { items } else { format!("<ul>\n{items}</ul>\n") }
}

/// What nobody can miss: data that were drawn by code.
pub(crate) fn synthetic_banner(sentence: &str) -> String {
    format!(
        "<div class=\"banner\" role=\"alert\"><strong>SYNTHETIC DATA</strong> {}</div>\n",
        marked(sentence)
    )
}

/// A share in whole percent, which is as exact as a probability is.
pub(crate) fn share(share: f64) -> String {
    match share {
        share if share < 0.01 => "under 1 %".to_owned(),
        share if share > 0.99 => "over 99 %".to_owned(),
        share => format!("{:.0} %", 100.0 * share),
    }
}

/// A number with four significant digits, without zeros that say nothing.
pub(crate) fn plain(value: f64) -> String {
    let text = significant(value, 4);
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A table of cells that are HTML.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let cells =
        |row: &[String]| row.iter().map(|cell| format!("<td>{cell}</td>")).collect::<String>();
    let header: String = header.iter().map(|name| format!("<th>{}</th>", escape(name))).collect();
    let rows: String = rows.iter().map(|row| format!("<tr>{}</tr>\n", cells(row))).collect();
    format!(
        "<div class=\"wide\"><table><thead><tr>{header}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )
}

/// Commands, each on a line of its own.
pub(crate) fn commands(lines: &[String]) -> String {
    format!("<pre class=\"commands\">{}</pre>\n", escape(&lines.join("\n")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const HOSTILE: &str = "</script><img src=x onerror=alert(1)>`<b>`";

    #[test]
    fn html_in_a_name_is_text_in_the_page_and_in_its_scripts() {
        let mut page = Page::new(HOSTILE);
        page.section(HOSTILE);
        page.add(&sentences([HOSTILE]));
        let mut chart = Chart::curves(HOSTILE, HOSTILE, HOSTILE);
        chart.add(HOSTILE, 0, &[1.0], &[f64::NAN]);
        page.charts([chart]);
        let html = page.html().unwrap();
        assert!(!html.contains("<img") && !html.contains("<b>"), "text of a run became HTML");
        // Data, library and script, and none that began in a name.
        assert_eq!(html.matches("</script>").count(), 3);
    }

    #[test]
    fn nothing_is_fetched_and_no_other_script_runs() {
        let html = Page::new("a").html().unwrap();
        assert!(html.contains("default-src 'none'"));
        assert!(!html.contains("<script src") && !html.contains("<link"));
        assert!(html.contains(&checksum(SCRIPT)));
        assert!(html.len() < 5_000_000, "{}", html.len());
    }

    #[test]
    fn a_checksum_is_that_of_the_specification() {
        // The example of Content Security Policy Level 3, section 8.4.
        let expected = "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='";
        assert_eq!(checksum("alert('Hello, world.');"), expected);
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.0, 10.0, 0.4132, 1e-7].map(plain), ["0", "10", "0.4132", "1.000e-7"]);
        assert_eq!([0.001, 0.5, 0.999].map(share), ["under 1 %", "50 %", "over 99 %"]);
    }

    #[test]
    fn what_stands_between_backticks_is_code() {
        assert_eq!(marked("a `b<` c"), "a <code>b&lt;</code> c");
        assert_eq!(marked("one ` alone"), "one ` alone");
        assert_eq!(marked("`a` and `"), "`a` and `");
    }
}
